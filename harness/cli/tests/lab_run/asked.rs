//! What the kernel of a real host is asked, and answers.

use serde_json::{Map, Value};

use crate::lab::{Ended, Lab, REBUILD};

#[test]
fn the_kernel_is_asked_about_what_the_service_uses() {
    let lab = Lab::with(&[REBUILD]);
    let page = "/var/www/html/index.html";
    let running = table(&lab.check(lab.inventory()).with_code(0));
    for (path, class, type_) in [
        ("/usr/sbin/httpd", "file", "httpd_exec_t"),
        ("/var/www/html", "dir", "httpd_sys_content_t"),
        (page, "file", "httpd_sys_content_t"),
        ("/dev/null", "chr_file", "null_device_t"),
        ("/etc/httpd/conf", "dir", "httpd_config_t"),
        ("/var/log/httpd/error_log", "file", "httpd_log_t"),
    ] {
        assert_eq!(running["labels"][path][class], type_, "{path}: {running}");
        assert!(answered(&running, type_, class), "{type_} {class}");
    }
    let n_mapped = running["labels"].as_object().unwrap().keys();
    let n_mapped = n_mapped.filter(|p| p.contains(".so")).count();
    assert!(n_mapped > 5, "{n_mapped} libraries: {running}");
    assert!(answered(&running, "ld_so_t", "file"));
    assert!(
        running
            .get("limits")
            .is_some_and(|l| *l == Value::from(Vec::<Value>::new()))
    );

    lab.in_guest(
        REBUILD,
        &format!("systemctl stop httpd; chcon -t user_home_t {page}"),
    );
    let stopped = table(&lab.check(lab.inventory()).with_code(1));
    assert_eq!(stopped["limits"][0], "httpd_t has no process");
    assert_eq!(stopped["labels"][page]["file"], "user_home_t");
    assert!(answered(&stopped, "user_home_t", "file"));
    assert!(stopped["labels"].get("/usr/sbin/httpd").is_none());
}

/// The table of the only state.
fn table(ended: &Ended) -> Value {
    let mut events = ended.record.events("vectors-read", REBUILD);
    assert_eq!(events.len(), 1);
    events.remove(0)["what"]["vectors"]["known"].take()
}

fn answered(table: &Value, type_: &str, class: &str) -> bool {
    let query = format!("system_u:system_r:httpd_t:s0 system_u:object_r:{type_}:s0 {class}");
    let answers: &Map<String, Value> = table["vectors"].as_object().unwrap();
    answers.contains_key(&query)
}
