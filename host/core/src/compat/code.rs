//! The kinds of changes that there are, each with the word that people see, and
//! what a provider can do instead of one that breaks.
//!
//! Whether a change breaks is not said here: that also depends on where it is.

use std::fmt;

/// Declares the codes, so that a code and its word stand in one place.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $word:literal,)*) => {
        /// What changed, out of a closed set. kro's words are kept where kro has one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ChangeCode {
            $($(#[$doc])* $code,)*
        }

        impl ChangeCode {
            /// The word, such as `PROPERTY_REMOVED`.
            pub fn word(self) -> &'static str {
                match self {
                    $(ChangeCode::$code => $word,)*
                }
            }
        }
    };
}

codes! {
    /// Another API group.
    GroupChanged = "GROUP_CHANGED",
    /// Namespaced or not.
    ScopeChanged = "SCOPE_CHANGED",
    /// Another kind.
    KindChanged = "KIND_CHANGED",
    /// Another kind for lists.
    ListKindChanged = "LIST_KIND_CHANGED",
    /// Another name in paths.
    PluralChanged = "PLURAL_CHANGED",
    /// Another name for one object on the command line.
    SingularChanged = "SINGULAR_CHANGED",
    /// Other short names on the command line.
    ShortNamesChanged = "SHORT_NAMES_CHANGED",
    /// Other groups of resources that it is listed with.
    CategoriesChanged = "CATEGORIES_CHANGED",
    /// A version that is served now.
    VersionAdded = "VERSION_ADDED",
    /// A version that is not served any more.
    VersionRemoved = "VERSION_REMOVED",
    /// A version that clients are warned of, or are not any more.
    DeprecationChanged = "DEPRECATION_CHANGED",
    /// A subresource that is not served any more.
    SubresourceRemoved = "SUBRESOURCE_REMOVED",
    /// What a list shows to people.
    PrinterColumnsChanged = "PRINTER_COLUMNS_CHANGED",
    /// A field that may be left out.
    PropertyAdded = "PROPERTY_ADDED",
    /// A field that is gone.
    PropertyRemoved = "PROPERTY_REMOVED",
    /// A field, new or not, that has to be there.
    RequiredAdded = "REQUIRED_ADDED",
    /// A field that may be left out now.
    RequiredRemoved = "REQUIRED_REMOVED",
    /// A field that has to be there, and is not filled in any more.
    RequiredDefaultRemoved = "REQUIRED_DEFAULT_REMOVED",
    /// Another default, a first one or none.
    DefaultChanged = "DEFAULT_CHANGED",
    /// Another description.
    DescriptionChanged = "DESCRIPTION_CHANGED",
    /// Another type.
    TypeChanged = "TYPE_CHANGED",
    /// Whole numbers and strings instead of one type.
    IntOrStringAdded = "INT_OR_STRING_ADDED",
    /// One type instead of whole numbers and strings.
    IntOrStringRemoved = "INT_OR_STRING_REMOVED",
    /// Another format, a first one or none.
    FormatChanged = "FORMAT_CHANGED",
    /// `null` is a value now.
    NullableAdded = "NULLABLE_ADDED",
    /// `null` is not a value any more.
    NullableRemoved = "NULLABLE_REMOVED",
    /// Fields without a schema are kept now.
    PreserveUnknownAdded = "PRESERVE_UNKNOWN_ADDED",
    /// Fields without a schema are dropped now.
    PreserveUnknownRemoved = "PRESERVE_UNKNOWN_REMOVED",
    /// Fields of any name are kept now.
    AdditionalPropertiesAdded = "ADDITIONAL_PROPERTIES_ADDED",
    /// Fields of any name are dropped now.
    AdditionalPropertiesRemoved = "ADDITIONAL_PROPERTIES_REMOVED",
    /// Values that are none any more.
    EnumRestricted = "ENUM_RESTRICTED",
    /// New values.
    EnumExpanded = "ENUM_EXPANDED",
    /// A first pattern.
    PatternAdded = "PATTERN_ADDED",
    /// Another pattern.
    PatternChanged = "PATTERN_CHANGED",
    /// No pattern any more.
    PatternRemoved = "PATTERN_REMOVED",
    /// A first smallest number.
    MinimumAdded = "MINIMUM_ADDED",
    /// A larger smallest number.
    MinimumIncreased = "MINIMUM_INCREASED",
    /// A first largest number.
    MaximumAdded = "MAXIMUM_ADDED",
    /// A smaller largest number.
    MaximumDecreased = "MAXIMUM_DECREASED",
    /// A first shortest length.
    MinLengthAdded = "MIN_LENGTH_ADDED",
    /// A longer shortest length.
    MinLengthIncreased = "MIN_LENGTH_INCREASED",
    /// A first longest length.
    MaxLengthAdded = "MAX_LENGTH_ADDED",
    /// A shorter longest length.
    MaxLengthDecreased = "MAX_LENGTH_DECREASED",
    /// A first smallest number of elements.
    MinItemsAdded = "MIN_ITEMS_ADDED",
    /// A larger smallest number of elements.
    MinItemsIncreased = "MIN_ITEMS_INCREASED",
    /// A first largest number of elements.
    MaxItemsAdded = "MAX_ITEMS_ADDED",
    /// A smaller largest number of elements.
    MaxItemsDecreased = "MAX_ITEMS_DECREASED",
    /// A first smallest number of fields.
    MinPropertiesAdded = "MIN_PROPERTIES_ADDED",
    /// A larger smallest number of fields.
    MinPropertiesIncreased = "MIN_PROPERTIES_INCREASED",
    /// A first largest number of fields.
    MaxPropertiesAdded = "MAX_PROPERTIES_ADDED",
    /// A smaller largest number of fields.
    MaxPropertiesDecreased = "MAX_PROPERTIES_DECREASED",
    /// A constraint that has no code of its own, such as `oneOf`.
    ConstraintAdded = "CONSTRAINT_ADDED",
    /// The same, another one.
    ConstraintChanged = "CONSTRAINT_CHANGED",
    /// A bound that is wider, or a constraint that is gone.
    ConstraintRelaxed = "CONSTRAINT_RELAXED",
    /// A new rule.
    ValidationAdded = "VALIDATION_ADDED",
    /// A rule that is told in other words.
    ValidationChanged = "VALIDATION_CHANGED",
    /// A rule that is gone.
    ValidationRemoved = "VALIDATION_REMOVED",
    /// How the writes of several clients to a list are merged.
    ListTypeChanged = "LIST_TYPE_CHANGED",
    /// By which fields elements of a list are told apart.
    ListMapKeysChanged = "LIST_MAP_KEYS_CHANGED",
    /// How the writes of several clients to a map are merged.
    MapTypeChanged = "MAP_TYPE_CHANGED",
}

impl ChangeCode {
    /// What to do instead, for a change that breaks and can be avoided.
    pub fn hint(self) -> Option<&'static str> {
        use ChangeCode as Code;
        match self {
            Code::PropertyRemoved => Some("keep the field, even if nothing uses it any more"),
            Code::RequiredAdded => Some("give it a default, or let it be left out"),
            Code::RequiredDefaultRemoved => Some("keep the default, or let the field be left out"),
            Code::TypeChanged | Code::IntOrStringAdded | Code::IntOrStringRemoved | Code::FormatChanged => {
                Some("add a field beside this one instead")
            }
            Code::EnumRestricted => Some("keep the values that there were"),
            Code::ShortNamesChanged => Some("add names beside those that there are"),
            Code::VersionRemoved => Some("go on serving it beside the new one"),
            Code::PatternAdded
            | Code::PatternChanged
            | Code::MinimumAdded
            | Code::MinimumIncreased
            | Code::MaximumAdded
            | Code::MaximumDecreased
            | Code::MinLengthAdded
            | Code::MinLengthIncreased
            | Code::MaxLengthAdded
            | Code::MaxLengthDecreased
            | Code::MinItemsAdded
            | Code::MinItemsIncreased
            | Code::MaxItemsAdded
            | Code::MaxItemsDecreased
            | Code::MinPropertiesAdded
            | Code::MinPropertiesIncreased
            | Code::MaxPropertiesAdded
            | Code::MaxPropertiesDecreased
            | Code::ConstraintAdded
            | Code::ConstraintChanged
            | Code::ValidationAdded => Some("let what was valid before stay valid"),
            _ => None,
        }
    }
}

impl fmt::Display for ChangeCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
