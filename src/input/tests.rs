//! What structures are read from, and what they are not.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Document;

#[derive(Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Thing {
    name: Option<String>,
    #[serde(default)]
    parts: Vec<Thing>,
    #[serde(default)]
    by_name: BTreeMap<String, Thing>,
}

fn refusal(text: &str) -> String {
    Document::from_json(text.as_bytes()).unwrap().read::<Thing>().unwrap_err().to_string()
}

#[test]
fn a_structure_is_read_from_an_object_alone() {
    assert_eq!(refusal("[null,[],{}]"), "must be an object");
    assert_eq!(refusal(r#"{"parts":[{},["x",[],{}]]}"#), "parts[1]: must be an object");
    assert_eq!(refusal(r#"{"byName":{"a.b":[null,[],{}]}}"#), "byName.a.b: must be an object");
    assert_eq!(refusal(r#"{"byName":[["a",{}]]}"#), "byName: must be an object");
    assert_eq!(refusal(r#"{"parts":{"0":{}}}"#), "parts: must be an array");
}

#[test]
fn what_is_wrong_is_said_where_it_is() {
    assert_eq!(
        refusal(r#"{"parts":[{"parts":[{"nmae":"x"}]}]}"#),
        "parts[0].parts[0].nmae: is not a known field; did you mean name?"
    );
    assert_eq!(refusal(r#"{"name":"a","name":"b"}"#), "name: is given more than once");
    assert_eq!(refusal(r#"{"name":5}"#), "name: must be a string");
}

#[test]
fn yaml_may_leave_out_quotes_where_a_text_is_expected() {
    for (written, read) in [("1.10", "1.10"), ("007", "007"), ("true", "true"), ("1e3", "1e3")] {
        let document = Document::from_yaml(&format!("parts:\n  - name: {written}\n")).unwrap();
        let thing: Thing = document.read().unwrap();
        assert_eq!(thing.parts[0].name.as_deref(), Some(read));
        assert_eq!(document.line_of("parts[0].name"), Some(2));
    }
    let aliases = Document::from_yaml("parts:\n- name: &a 1.10\n- name: *a\n").unwrap();
    let thing: Thing = aliases.read().unwrap();
    assert_eq!(thing.parts[1].name.as_deref(), Some("1.10"));
}

#[test]
fn what_is_sent_is_not_changed() {
    let sent = json!({"a": [1, -1, 1.5, "x", null, true, {"b": {}}], "c": []});
    let document = Document::from_json(sent.to_string().as_bytes()).unwrap();
    assert_eq!((document.to_json(), document.read::<Value>().unwrap()), (sent.clone(), sent));
}
