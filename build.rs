//! Tells the program its version with the commit that it is built from, if that is known, and
//! compresses the generated files that are part of it.

use std::error::Error;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// Files that are part of the program.
const EMBEDDED: [&str; 2] = ["openapi.yaml", "docs/seed.schema.json"];

fn main() -> Result<(), Box<dyn Error>> {
    for file in EMBEDDED {
        compress(Path::new(file))?;
    }
    tell_version();
    Ok(())
}

/// Compresses a file into the directory of the build.
fn compress(file: &Path) -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={}", file.display());
    let name = file.file_name().ok_or("a file has a name")?.to_string_lossy();
    let to = Path::new(&std::env::var("OUT_DIR")?).join(format!("{name}.deflate"));
    let mut encoder = DeflateEncoder::new(fs::File::create(to)?, Compression::best());
    encoder.write_all(&fs::read(file)?)?;
    encoder.finish()?;
    Ok(())
}

fn tell_version() {
    // The files of the console are part of the program, and so are new ones.
    println!("cargo:rerun-if-changed=console");
    // A new commit moves HEAD, and the log of HEAD notes each move.
    println!("cargo:rerun-if-env-changed=CME_COMMIT");
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"])
        && std::path::Path::new(&log).exists()
    {
        println!("cargo:rerun-if-changed={log}");
    } else {
        println!("cargo:rerun-if-changed=build.rs");
    }
    let version = env!("CARGO_PKG_VERSION");
    let commit = std::env::var("CME_COMMIT").ok().filter(|commit| !commit.is_empty());
    // Outside of a checkout, there is no commit.
    let version = match commit.or_else(|| git(&["rev-parse", "--short=9", "HEAD"])) {
        Some(commit) => format!("{version} ({commit})"),
        None => version.to_owned(),
    };
    println!("cargo:rustc-env=CME_VERSION={version}");
}

/// Returns what git answers, or `None` if it fails, or if this is not a checkout of the project.
fn git(arguments: &[&str]) -> Option<String> {
    // The sources may lie inside of another project's checkout.
    if !std::path::Path::new(".git").exists() {
        return None;
    }
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !text.is_empty()).then_some(text)
}
