//! `search.html` of a search that was.

use hwgen_search::report::page;
use hwgen_search::search::Found;
use insta::assert_snapshot;

fn found() -> Found {
    serde_json::from_str(include_str!("found.json")).unwrap()
}

/// The page without its picture, which is coordinates.
fn without_picture(page: &str) -> String {
    let (before, rest) = page.split_once("<svg width").unwrap();
    let (_, after) = rest.split_once("</svg>").unwrap();
    let text = [before, after].concat();
    let (head, body) = text.split_once("<style>").unwrap();
    let (_, body) = body.split_once("</style>").unwrap();
    [head, body].concat().replace("<tr>", "\n<tr>").replace("<h2>", "\n<h2>")
}

#[test]
fn the_same_search_makes_the_same_page() {
    let text = page(&found()).unwrap();
    assert_eq!(text, page(&found()).unwrap());
    assert_snapshot!(without_picture(&text));
}

#[test]
fn the_page_needs_nothing_beside_it() {
    let text = page(&found()).unwrap();
    for outside in ["<script", "src=", "href=", "url(", "@import", "<link", "<iframe"] {
        assert!(!text.contains(outside), "{outside}");
    }
    let addresses = text.matches("://").count();
    assert_eq!(addresses, text.matches("http://www.w3.org/2000/svg").count());
    assert!(text.len() < 1 << 20, "{} bytes", text.len());
}

#[test]
fn names_are_escaped() {
    let mut found = found();
    found.settings.space.name = "<script>alert(1)</script>&\"'".to_owned();
    found.points[0].layers[0].0 = "</td><img onerror=x>".to_owned();
    let text = page(&found).unwrap();
    assert!(!text.contains("<script") && !text.contains("<img"), "{text}");
    assert!(text.contains("&lt;script&gt;alert(1)&lt;/script&gt;&amp;"), "{text}");
}

#[test]
fn searches_with_nothing_or_much_in_them_have_a_page() {
    let mut none = found();
    (none.judged, none.front, none.points) = (vec![], vec![], vec![]);
    page(&none).unwrap();
    let mut much = found();
    much.judged =
        (0..50_000).map(|n| (n * 7 % 90_001, f64::from(n as u32 % 997) / 997.0)).collect();
    much.settings.latency = Some(1e7);
    let text = page(&much).unwrap();
    println!("50,000 that were judged: a page of {} bytes", text.len());
    assert!(text.len() < 8 << 20, "{} bytes", text.len());
}
