//! What the environment may and may not change. Each prober runs in a child process, for a test
//! cannot set variables of its own process safely.

use std::process::Stdio;

use super::*;

const URL: &str = "PATCHGATE_TEST_URL";

/// What a prober in a child process with these variables sees, in its debug form.
pub(super) async fn see_with(url: &str, vars: &[(&str, &str)]) -> String {
    let mut child = tokio::process::Command::new(std::env::current_exe().unwrap());
    child
        .args(["--exact", "--ignored", "--nocapture"])
        .arg("probe::http::tests::env::child")
        .env(URL, url)
        .envs(vars.iter().copied())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let out = timeout_at(Instant::now() + LONG, child.output()).await;
    String::from_utf8(out.unwrap().unwrap().stdout).unwrap()
}

#[tokio::test]
#[ignore = "the child half of other tests"]
async fn child() {
    let url = std::env::var(URL).unwrap();
    match see(&request(&url, LONG)).await.end {
        HttpEnd::Answered(answer) => println!("answered {} {answer:?}", answer.status),
        HttpEnd::Failed(failure) => println!("{failure:?}"),
    }
}

#[tokio::test]
async fn a_proxy_in_the_environment_is_not_used() {
    let proxy = Server::saying(b"HTTP/1.0 502 Proxied\r\n\r\n").await;
    let server = Server::saying(b"HTTP/1.0 200 OK\r\n\r\n").await;
    let through = proxy.url("");
    let names = ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"];
    let vars = names.map(|name| (name, through.as_str()));
    let told = see_with(&server.url("/"), &vars).await;
    assert!(told.contains("answered 200"), "{told}");
    assert!(proxy.requests().is_empty());
}
