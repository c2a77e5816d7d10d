//! Words of the field: enums without data whose values are known by name.

/// Defines an enum with the names of its values. The same names are used in requests and responses,
/// in the database, and in documents.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        $visibility:vis enum $Word:ident {
            $($(#[$value_attribute:meta])* $Value:ident = $name:tt,)+
        }
    ) => {
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash,
            serde::Serialize, serde::Deserialize, utoipa::ToSchema,
        )]
        $(#[$attribute])*
        $visibility enum $Word {
            $($(#[$value_attribute])* #[serde(rename = $name)] $Value,)+
        }

        #[allow(dead_code, reason = "not all words are listed somewhere")]
        impl $Word {
            /// Their names, in order.
            pub const NAMES: [&'static str; [$($name),+].len()] = [$($name),+];

            /// All of them, in order.
            pub const ALL: [Self; Self::NAMES.len()] = [$(Self::$Value),+];

            /// Returns the name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$Value => $name),+
                }
            }
        }

        impl std::str::FromStr for $Word {
            type Err = serde::de::value::Error;

            fn from_str(name: &str) -> Result<Self, Self::Err> {
                serde::Deserialize::deserialize(serde::de::IntoDeserializer::into_deserializer(name))
            }
        }

        impl std::fmt::Display for $Word {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use serde_json::json;

    words! {
        /// A word.
        #[derive(Default)]
        enum Direction {
            /// Away.
            There = "there",
            /// And home.
            #[default]
            BackAgain = "back-again",
        }
    }

    #[test]
    fn a_word_has_the_same_name_everywhere() {
        assert_eq!(Direction::NAMES, ["there", "back-again"]);
        for (word, name) in Direction::ALL.into_iter().zip(Direction::NAMES) {
            assert_eq!((word.as_str(), word.to_string().as_str()), (name, name));
            assert_eq!(json!(word), json!(name));
            assert_eq!(serde_json::from_value::<Direction>(json!(name)).unwrap(), word);
            assert_eq!(name.parse::<Direction>().unwrap(), word);
        }
        assert_eq!(Direction::default(), Direction::BackAgain);
    }

    #[test]
    fn what_is_no_word_is_told_with_the_words() {
        let error = "There".parse::<Direction>().unwrap_err();
        assert_eq!(error.to_string(), "unknown variant `There`, expected `there` or `back-again`");
    }
}
