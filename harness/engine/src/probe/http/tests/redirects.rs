//! Redirects, followed and not.

use super::*;

/// A server whose paths lead to one another.
async fn maze() -> Server {
    Server::start(async |mut stream| {
        let asked = read_request(&mut stream).await;
        let path = asked.split(' ').nth(1).unwrap_or_default();
        let to = match path {
            "/one" => "/end",
            "/two" => "one",
            "/loop" => "/loop",
            "/away" => "http://127.0.0.2/",
            "/port" => "http://127.0.0.1:1/",
            "/nowhere" => "http://[",
            _ => "",
        };
        let said = match to {
            "" => "HTTP/1.0 200 OK\r\n\r\nend".to_owned(),
            to => format!("HTTP/1.0 302 Found\r\nLocation: {to}\r\n\r\n"),
        };
        stream.write_all(said.as_bytes()).await.unwrap();
    })
    .await
}

#[tokio::test]
async fn unasked_a_redirect_is_an_answer() {
    let maze = maze().await;
    let answer = answer(&request(&maze.url("/away"), LONG)).await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.location.as_deref(), Some("http://127.0.0.2/"));
}

#[tokio::test]
async fn asked_for_redirects_are_followed_on_the_same_server_only() {
    let maze = maze().await;
    for (path, redirects, phase) in [
        ("/end", 1, None),
        ("/one", 1, None),
        ("/two", 2, None),
        ("/two", 1, Some(HttpPhase::Redirect)),
        ("/loop", 20, Some(HttpPhase::Redirect)),
        ("/away", 5, Some(HttpPhase::Redirect)),
        ("/port", 5, Some(HttpPhase::Redirect)),
        ("/nowhere", 5, Some(HttpPhase::Redirect)),
    ] {
        let mut request = request(&maze.url(path), LONG);
        request.redirects = redirects;
        request.contains = vec!["end".into()];
        match (see(&request).await.end, phase) {
            (HttpEnd::Answered(answer), None) => assert_eq!(answer.contained, [true], "{path}"),
            (HttpEnd::Failed(failure), Some(phase)) => assert_eq!(failure.phase, phase, "{path}"),
            (end, _) => panic!("{path}: {end:?}"),
        }
    }
}
