//! The module as ordinary code. What it answers as a component is in `fixtures/`.

use guest_sdk::test::Trial;

use super::*;

fn said(message: &str, times: i32) -> Trial<Module> {
    Trial::new({{Kind}}::new("one", {{Kind}}Spec { message: message.to_owned(), times }))
}

#[test]
fn the_message_is_said_as_often_as_asked() {
    let end = said("Hello", 2).converge().unwrap();
    assert_eq!(end.child::<ConfigMap>("text").data.unwrap()["text"], "Hello Hello");
    assert_eq!(end.status::<{{Kind}}Status>().text.as_deref(), Some("Hello Hello"));
    assert!(end.is_ready());
}

#[test]
fn an_empty_message_is_refused() {
    assert!(said(" ", 1).render().is_err());
}
