//! Files that are generated from the code, as they are checked in. build.rs compresses them.

use std::io::Read;

use flate2::read::DeflateDecoder;

/// Returns the description of the API, openapi.yaml.
#[must_use]
pub fn openapi_yaml() -> String {
    decompress(include_bytes!(concat!(env!("OUT_DIR"), "/openapi.yaml.deflate")))
}

/// Returns the JSON Schema of seeds, docs/seed.schema.json.
#[must_use]
pub fn seed_schema() -> String {
    decompress(include_bytes!(concat!(env!("OUT_DIR"), "/seed.schema.json.deflate")))
}

fn decompress(file: &[u8]) -> String {
    let mut text = String::new();
    // It was compressed when the program was built: that it can be read is tested.
    let _ = DeflateDecoder::new(file).read_to_string(&mut text);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_are_read_as_they_are_checked_in() {
        assert!(openapi_yaml() == include_str!("../openapi.yaml"));
        assert!(seed_schema() == include_str!("../docs/seed.schema.json"));
    }
}
