//! Every scenario through the real runner, record, judgement and reporters.

use patchgate_testkit::{assert_scenario, catalogue};

async fn check((scenario, expected): catalogue::Case) {
    let played = scenario.play().await;
    assert_scenario(&played, &expected);
}

macro_rules! scenarios {
    ($($group:ident { $($name:ident)* })*) => {
        $($(
            #[tokio::test(start_paused = true)]
            async fn $name() {
                check(catalogue::$group::$name()).await;
            }
        )*)*

        /// A scenario that nobody plays proves nothing.
        #[test]
        fn every_scenario_of_the_catalogue_is_played() {
            let played = [$($(stringify!($name),)*)*];
            let all = catalogue::all();
            let known: Vec<_> = all.iter().map(|c| c.0.name.replace('-', "_")).collect();
            assert_eq!(known, played);
        }
    };
}

scenarios! {
    policy {
        quiet_night
        february
        february_without_experiments
        february_localhost_passes
        february_without_vectors
        february_suppressed
        february_of_two_domains
        march
        loud_denial
        unnoticed_denial
        denied_before
        mode_drift
        next_boot_permissive
        domain_permissive
        access_lost
        february_of_a_broken_host
        docroot_relabelled
    }
    allow {
        allowed
        allowed_in_part
        allow_expired
        allow_unused
        allow_unused_unknown
        also_on_twin
        cut_record_not_allowed
    }
    twins {
        twin_fails_too
        twin_unknown
        twin_only
    }
    evidence {
        auditd_down
        records_lost
        suppressed
        log_rotated
        log_rotated_away
    }
    services {
        service_down
        firewalled
        broken_before
        broken_until_restarted
        second_run
        restart_fails
        hostile_output
        check_only
        check_only_fails
        check_only_fails_unnamed
        restart_fails_beside_a_failure
        config_broken
        bound_to_loopback
    }
    transaction {
        dirty
        failed_clean
        transaction_lost
        transaction_hangs
        plan_differs
        conflict
        needs_unmet
        packages_unknown
    }
    selection {
        by_advisory
        advisory_converged
        advisory_unknown
        advisory_not_brought
        advisory_excluded
        by_security
        security_left_out
        security_unknown
        excluded_all_the_same
        changed_beside
        by_package
        package_not_brought
        package_only_claimed
        by_rpm_file
        rpm_file_damaged
        with_yum
        with_dnf5
    }
    reboot {
        reboot_not_needed
        rebooted
        rebooted_without_restart
        reboot_always
        reboot_advised
        reboot_unknown
        reboot_by_install_times
        reboot_reply_lost
        reboot_never_back
        reboot_never_back_alone
        reboot_all_away
        reboot_another_key
        reboot_another_machine
        reboot_stays
        reboot_refused
        reboot_twice
        reboot_breaks_service
        reboot_brings_a_denial
        reboot_ends_enforcing
        reboot_old_kernel
        reboot_stopped
        reboot_stops_waves
    }
    undo {
        undo_not_needed
        undo_of_nothing_seen
        rolled_back
        rolled_back_with_yum
        rollback_refused
        rollback_of_half_a_patch
        rollback_fails
        rollback_lost
        rollback_hangs
        rollback_leaves_something
        rollback_unmarked
        rollback_host_lost
        rollback_stopped
        reset
        reset_to_the_same_boot
        reset_of_half_a_patch
        reset_after_a_lost_reboot
        reset_fails
        reset_gone
        reset_only_boots
        reset_stopped
        marked
        mark_cleared
        mark_of_another_run
        marked_and_only_checked
    }
    transport {
        unreachable
        key_changed
        key_changed_meanwhile
        locked
        locked_by_a_dead_run
        lock_broken
        lock_not_broken
        lost_at_baseline
        lost_while_planning
        lost_while_patching
        lost_while_patching_with_control
        network_gone
        lost_when_patched
        lost_when_restarted
        lost_at_the_end
        comes_back
        comes_back_changed
        lost_among_checks
        job_start_unheard
        never_holds
        interrupted
        stopped_while_planning
        panics
        diagnosis_comes_back
        diagnosis_lost
        diagnosis_comes_back_changed
        diagnosis_stopped
    }
    waves {
        waves_pass
        canary_fails
        canary_of_the_inventory
        waves_within_the_budget
        waves_of_unreachable_hosts
        interrupted_between_waves
        kind_not_in_the_first_wave
    }
}
