//! Changes of things that are there or not: variables, subscriptions, pipelines, programs, faults.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Caller, PIPELINES};
use super::history::{Read, When, Write};

/// A thing that callers make, read and delete.
#[derive(Clone, Debug)]
pub enum Thing {
    /// A variable of a pipeline.
    Variable(u32, String),
    /// A subscription, by the address that events go to.
    Webhook(u64),
    /// A pipeline of the program that is there.
    Pipeline(u64),
    /// A program of its own, added as a seed.
    Program(u64),
}

impl Thing {
    /// Its name in the history.
    pub fn key(&self) -> String {
        format!("{self:?}")
    }

    /// The thing of a name.
    pub fn find(key: &str) -> Self {
        let (kind, rest) = key.trim_end_matches(')').split_once('(').unwrap();
        match (kind, rest.split_once(", ")) {
            ("Variable", Some((pipeline, name))) => {
                Self::Variable(pipeline.parse().unwrap(), name.trim_matches('"').to_owned())
            }
            ("Webhook", _) => Self::Webhook(rest.parse().unwrap()),
            ("Pipeline", _) => Self::Pipeline(rest.parse().unwrap()),
            ("Program", _) => Self::Program(rest.parse().unwrap()),
            _ => panic!("{key}"),
        }
    }
}

impl Caller {
    /// Makes, reads or deletes something.
    pub async fn change_something(&mut self) -> reqwest::Result<()> {
        let known = self.shared.number.load(Ordering::SeqCst);
        let made = self.random.u64(..=known);
        let kind = self.random.u8(..4);
        let thing = |number| match kind {
            0 => Thing::Webhook(number),
            1 => Thing::Pipeline(number),
            _ => Thing::Program(number),
        };
        match (kind, self.random.u8(..3)) {
            (3, what) => {
                let name = format!("V{}", self.random.u8(..3));
                let variable = Thing::Variable(self.random.u32(1..=PIPELINES), name);
                match what {
                    0 => self.read(&variable).await,
                    1 => self.write(&variable, None).await,
                    _ => self.make(&variable).await,
                }
            }
            (_, 0) => self.read(&thing(made)).await,
            (_, 1) => self.write(&thing(made), None).await,
            _ => {
                let number = self.shared.number.fetch_add(1, Ordering::SeqCst) + 1;
                self.make(&thing(number)).await
            }
        }
    }

    async fn make(&mut self, thing: &Thing) -> reqwest::Result<()> {
        let value = self.random.u64(..).to_string();
        self.write(thing, Some(value)).await?;
        if matches!(thing, Thing::Pipeline(_)) && self.random.bool() {
            // It has something to be deleted with it.
            self.send(Method::PUT, &format!("{}/execution", path(thing)), None).await?;
        }
        Ok(())
    }

    /// Reads a thing, and notes it.
    pub async fn read(&self, thing: &Thing) -> reqwest::Result<()> {
        let (value, when) = self.find(thing).await?;
        let key = thing.key();
        self.shared.note(|history| history.reads.push(Read { key, value, when }));
        Ok(())
    }

    /// What a thing is like now: its value, or its name where it has none.
    async fn find(&self, thing: &Thing) -> reqwest::Result<(Option<String>, When)> {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        Ok(match thing {
            Thing::Variable(pipeline, name) => {
                let path = format!("/api/program/4/pipeline/{pipeline}/variables");
                let (list, when) = self.get(&path).await?;
                let list = list.unwrap();
                let mut variables = list["_embedded"]["variables"].as_array().unwrap().iter();
                (variables.find(|it| it["name"] == **name).and_then(|it| text(&it["value"])), when)
            }
            Thing::Webhook(number) => {
                let (webhook, when) = self.find_webhook(*number).await?;
                (webhook.map(|_| number.to_string()), when)
            }
            Thing::Pipeline(_) | Thing::Program(_) => {
                let (shown, when) = self.get(&path(thing)).await?;
                (shown.and_then(|it| text(&it["name"])), when)
            }
        })
    }

    async fn find_webhook(&self, number: u64) -> reqwest::Result<(Option<Value>, When)> {
        let (list, when) = self.get("/_emulator/webhooks").await?;
        let list = list.unwrap();
        let mut webhooks = list["webhooks"].as_array().unwrap().iter();
        let url = address(number);
        Ok((webhooks.find(|webhook| webhook["url"] == *url).cloned(), when))
    }

    /// Gives a thing a value, or deletes it, and notes what came of it.
    async fn write(&self, thing: &Thing, value: Option<String>) -> reqwest::Result<()> {
        let Some((method, path, body)) = self.request_for(thing, value.as_deref()).await? else {
            return Ok(());
        };
        // Subscriptions have no value but that they are there.
        let value = match thing {
            Thing::Webhook(number) => value.map(|_| number.to_string()),
            _ => value,
        };
        let write = |when| Write { key: thing.key(), value, when };
        let called = self.shared.now();
        match self.send(method, &path, Some(&body)).await {
            Ok((response, when)) => {
                let status = self.status(&response, &[200, 201, 202, 204, 404, 409, 412]);
                if status.is_some_and(|status| status < 300) {
                    self.shared.note(|history| history.writes.push(write(when)));
                }
                Ok(())
            }
            Err(error) => {
                let when = When { called, answered: None };
                self.shared.note(|history| history.writes.push(write(when)));
                Err(error)
            }
        }
    }

    /// The request that changes a thing; none if it is not there to be deleted.
    async fn request_for(
        &self,
        thing: &Thing,
        value: Option<&str>,
    ) -> reqwest::Result<Option<(Method, String, Value)>> {
        let made = |path: &str, body| Some((Method::POST, path.to_owned(), body));
        Ok(match (thing, value) {
            (Thing::Variable(pipeline, name), value) => {
                let path = format!("/api/program/4/pipeline/{pipeline}/variables");
                Some((Method::PATCH, path, json!([{ "name": name, "value": value.unwrap_or("") }])))
            }
            (Thing::Webhook(number), Some(_)) => made(
                "/_emulator/webhooks?challenge=false",
                // Nothing happens in that tenant: nobody is called.
                json!({"tenantId": "2", "clientId": "ci", "clientSecret": "s",
                    "url": address(*number), "events": ["all"]}),
            ),
            (Thing::Webhook(number), None) => {
                let (webhook, _) = self.find_webhook(*number).await?;
                webhook.map(|webhook| {
                    let id = webhook["id"].as_str().unwrap();
                    (Method::DELETE, format!("/_emulator/webhooks/{id}"), Value::Null)
                })
            }
            (Thing::Pipeline(number), Some(name)) => made(
                "/_emulator/program/4/pipelines",
                json!({"id": number_of(*number), "name": name, "phases": [{"type": "VALIDATE"},
                    {"type": "BUILD", "repositoryId": "1", "branch": "main"}]}),
            ),
            (Thing::Program(number), Some(name)) => made(
                "/_emulator/seed",
                json!({"programs": [{"id": number_of(*number), "tenantId": "1", "name": name}]}),
            ),
            (thing, None) => Some((Method::DELETE, path(thing), Value::Null)),
        })
    }
}

fn address(number: u64) -> String {
    format!("http://127.0.0.1:9/{number}")
}

/// Identifiers of what callers make are larger than those that were there.
fn number_of(number: u64) -> String {
    (1000 + number).to_string()
}

fn path(thing: &Thing) -> String {
    match thing {
        Thing::Pipeline(number) => format!("/api/program/4/pipeline/{}", number_of(*number)),
        Thing::Program(number) => format!("/api/program/{}", number_of(*number)),
        Thing::Variable(..) | Thing::Webhook(_) => panic!("{thing:?} is in a list"),
    }
}
