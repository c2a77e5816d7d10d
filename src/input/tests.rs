//! What structures are read from, and what they are not.

use std::collections::BTreeMap;
use std::fmt::Write;

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
        let text = format!("parts:\n  - name: {written}\n");
        let document = Document::from_yaml(&text).unwrap();
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

fn yaml_refusal(text: &str) -> String {
    Document::from_yaml(text).unwrap_err().to_string()
}

const TOO_MUCH: &str = "has too many values, or too much text, with what its aliases repeat";

#[test]
fn aliases_can_not_make_a_small_document_large() {
    let large = "x".repeat(100_000);
    let texts =
        format!("a: &a \"{large}\"\nb: [{}]\n", "&b 1,*a,*a,*a,*a,*a,*a,*a,*a,".repeat(500));
    assert_eq!(yaml_refusal(&texts), format!("line 2: {TOO_MUCH}"));
    let mut lists = String::from("a0: &a0 [1,1,1,1,1,1,1,1,1]\n");
    for level in 1..9 {
        let below = format!("*a{},", level - 1).repeat(9);
        writeln!(lists, "a{level}: &a{level} [{below}]").unwrap();
    }
    assert_eq!(yaml_refusal(&lists), format!("line 5: {TOO_MUCH}"));
    let nested = format!("{}1{}", "&a [".repeat(20), "]".repeat(20));
    assert_eq!(Document::from_yaml(&nested).unwrap().line_of(""), Some(1));
    let mut shared = String::from("a: &a { b: 1, c: [2, 3], d: { e: f } }\n");
    for pipeline in 0..200 {
        writeln!(shared, "p{pipeline}: {{ <<: *a, name: x }}").unwrap();
    }
    assert_eq!(Document::from_yaml(&shared).unwrap().to_json()["p199"]["d"]["e"], "f");
}

#[test]
fn deep_documents_are_refused_or_read_without_overflow() {
    for opening in ["[", "{a: ", "- ", "{a: [", "&a [", "[[{a: "] {
        for times in [60, 100_000] {
            assert_eq!(
                yaml_refusal(&opening.repeat(times)),
                "line 1: must not be nested more than 32 levels deep"
            );
        }
    }
    let deep = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert!(Document::from_yaml(&deep(30)).is_ok());
    let document = Document::from_json(deep(127).as_bytes()).unwrap();
    assert_eq!(document.read::<Value>().unwrap(), document.to_json());
    assert!(Document::from_json(deep(128).as_bytes()).is_err());
}

#[test]
fn errors_of_syntax_name_their_field() {
    let unknown = "alias references unknown anchor";
    for (text, error) in [
        ("webhooks:\n- url: x\n- url: *no\n", format!("line 3: webhooks[1]: {unknown}")),
        ("value:\n  value: [{ value: *no }]\n", format!("line 2: value.value[0]: {unknown}")),
        (
            "value: [{ value: 1, value: 2 }]",
            "line 1: value[0]: duplicate mapping key: value".into(),
        ),
    ] {
        assert_eq!(yaml_refusal(text), error);
    }
}
