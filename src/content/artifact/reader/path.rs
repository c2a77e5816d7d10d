//! The paths in a zip file.

/// The most bytes of a path.
const LONGEST: usize = 4096;

/// Returns a path without `./` and double slashes, or why it is not accepted. That of a folder ends
/// with `/`; that of the root is empty.
pub(super) fn normal(name: &str) -> Result<String, &'static str> {
    if name.is_empty() {
        return Err("it has no name");
    }
    if name.len() > LONGEST {
        return Err("its path is too long");
    }
    if name.contains('\\') {
        return Err("its path contains a backslash");
    }
    if name.chars().any(char::is_control) {
        return Err("its path contains a control character");
    }
    if is_absolute(name) {
        return Err("its path is absolute");
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    if parts.contains(&"..") {
        return Err("its path leads out of a folder");
    }
    let is_folder = name.ends_with(['/']) || name.ends_with("/.");
    let end = if is_folder && !parts.is_empty() { "/" } else { "" };
    Ok(parts.join("/") + end)
}

/// Checks that a link at a path leads to something inside the zip file.
pub(super) fn check_target(path: &str, target: &[u8]) -> Result<(), &'static str> {
    let target = std::str::from_utf8(target).map_err(|_| "the target of the link is not UTF-8")?;
    if target.is_empty() || target.contains(['\\', '\0']) || is_absolute(target) {
        return Err("the target of the link is not a relative path");
    }
    let folders = path.trim_end_matches('/').matches('/').count();
    let mut depth = folders;
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                depth = depth.checked_sub(1).ok_or("the link leads out of the zip file")?;
            }
            _ => depth += 1,
        }
    }
    Ok(())
}

/// Returns whether a path begins at a root or a drive.
fn is_absolute(path: &str) -> bool {
    let mut chars = path.chars();
    let (first, second) = (chars.next(), chars.next());
    first == Some('/') || (second == Some(':') && first.is_some_and(|it| it.is_ascii_alphabetic()))
}
