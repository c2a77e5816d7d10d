//! Tells the program its version with the commit that it is built from, if that is known.

use std::process::Command;

fn main() {
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
