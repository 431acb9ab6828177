//! Every scenario through the real runner, record, judgement and reporters.

use patchgate_testkit::{Expectation, Scenario, assert_scenario, catalogue};

async fn check((scenario, expected): (Scenario, Expectation)) {
    let played = scenario.play().await;
    assert_scenario(&played, &expected);
}

macro_rules! scenarios {
    ($($name:ident)*) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            check(catalogue::$name()).await;
        }
    )*};
}

scenarios! {
    quiet_night
    february
}
