//! Processes that the kernel killed for lack of memory, from its log.

use crate::snapshot::system::OomKill;

/// Finds the victims in a kernel log, oldest first.
///
/// Who invoked the killer is not who died, and up to the first EL8 kernels not even the process that it
/// chose needs to be: a child of it may have been sacrificed. What died is in `Killed process`; the
/// choice of `oom-kill:…,task=` counts where the log ends before that.
#[must_use]
pub fn kills(text: &str) -> Vec<OomKill> {
    let mut found: Vec<OomKill> = Vec::new();
    let mut only_chosen = false;
    for line in text.lines() {
        let (died, chosen) = (killed(line), chosen(line));
        if let (Some(_), true) = (died, only_chosen) {
            found.pop();
        }
        if let Some((victim, pid)) = died.or(chosen) {
            only_chosen = died.is_none();
            found.push(OomKill {
                victim: victim.to_owned(),
                pid,
                line: line.to_owned(),
            });
        }
    }
    found
}

/// `Killed process 1234 (httpd) total-vm:…`, `Killed process 1234, UID 48, (httpd) total-vm:…`,
/// `Killed process 1234 (httpd)`; a name may hold spaces and parentheses.
fn killed(line: &str) -> Option<(&str, u32)> {
    let (_, rest) = line.split_once("Killed process ")?;
    let (pid, rest) = number(rest)?;
    let (_, rest) = rest.split_once('(')?;
    let end = rest.rfind(") total-vm").or_else(|| rest.rfind(')'))?;
    Some((&rest[..end], pid))
}

/// `oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),…,task=httpd,pid=1234,uid=48`.
fn chosen(line: &str) -> Option<(&str, u32)> {
    let (_, rest) = line.split_once("oom-kill:")?;
    let (before, after) = rest.rsplit_once(",pid=")?;
    let (_, name) = before.rsplit_once(",task=")?;
    Some((name, number(after)?.0))
}

fn number(text: &str) -> Option<(u32, &str)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    Some((text[..end].parse().ok()?, &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn victims(text: &str) -> Vec<(String, u32)> {
        kills(text).into_iter().map(|k| (k.victim, k.pid)).collect()
    }

    /// A death as the kernels of each generation tell it, and who died.
    const GENERATIONS: &[(&str, &str, &str, u32)] = &[
        (
            "EL5",
            "httpd invoked oom-killer: gfp_mask=0x201d2, order=0, oomkilladj=0\n\
             Out of memory: Killed process 2592 (mysqld).\n",
            "mysqld",
            2592,
        ),
        (
            "2.6.2x to 2.6.32",
            "Out of memory: kill process 3456 (httpd) score 12509 or a child\n\
             Killed process 3460 (httpd)\n",
            "httpd",
            3460,
        ),
        (
            "EL6",
            "java invoked oom-killer: gfp_mask=0x201da, order=0, oom_adj=0, oom_score_adj=0\n\
             Pid: 1812, comm: java Not tainted 2.6.32-358.el6.x86_64 #1\n\
             Out of memory: Kill process 1790 (httpd) score 812 or sacrifice child\n\
             Killed process 1791, UID 48, (httpd) total-vm:1042000kB, anon-rss:480000kB, file-rss:0kB\n",
            "httpd",
            1791,
        ),
        (
            "EL6, memory cgroup",
            "Memory cgroup out of memory: Kill process 1 (init) score 1000 or sacrifice child\n\
             Killed process 77, UID 0, (mingetty) total-vm:4060kB, anon-rss:88kB, file-rss:400kB\n",
            "mingetty",
            77,
        ),
        (
            "EL7",
            "[11686.043641] Out of memory: Kill process 2603 (httpd) score 761 or sacrifice child\n\
             [11686.043647] Killed process 2603 (httpd) total-vm:1498536kB, anon-rss:721784kB, file-rss:4228kB\n",
            "httpd",
            2603,
        ),
        (
            "the last EL7",
            "Out of memory: Kill process 21945 (tidb-server) score 956 or sacrifice child\n\
             Killed process 21945 (tidb-server), UID 1000, total-vm:33027492kB, anon-rss:31303276kB, file-rss:0kB, shmem-rss:0kB\n",
            "tidb-server",
            21945,
        ),
        (
            "the first EL8",
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/x,task=node,pid=5678,uid=1000\n\
             Out of memory: Kill process 5678 (node) score 500 or sacrifice child\n\
             Killed process 5690 (worker) total-vm:1234567kB, anon-rss:987654kB, file-rss:123456kB, shmem-rss:0kB\n",
            "worker",
            5690,
        ),
        (
            "EL8 to EL10",
            "[  510.762654] java invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0\n\
             [  510.910332] oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,oom_memcg=/a,b,task=c,pid=1,task_memcg=/a,task=(sd-pam),pid=2343,uid=0\n\
             [  510.917639] Memory cgroup out of memory: Killed process 2343 ((sd-pam)) total-vm:31763532kB, anon-rss:13928044kB, file-rss:12208kB, shmem-rss:0kB, UID:0 pgtables:28092kB oom_score_adj:0\n\
             [  511.000000] oom_reaper: reaped process 2343 ((sd-pam)), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB\n",
            "(sd-pam)",
            2343,
        ),
        (
            "EL9, cut off after the choice",
            "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/x,task=Web Content,pid=99,uid=0\n",
            "Web Content",
            99,
        ),
    ];

    #[test]
    fn every_generation_names_who_died() {
        for (generation, text, victim, pid) in GENERATIONS {
            assert_eq!(
                victims(text),
                [((*victim).to_owned(), *pid)],
                "{generation}"
            );
        }
    }

    #[test]
    fn all_of_them_one_after_the_other_are_as_many_deaths() {
        let log: String = GENERATIONS.iter().map(|g| g.1).collect();
        assert_eq!(kills(&log).len(), GENERATIONS.len());
    }

    #[test]
    fn a_group_that_dies_together_is_many_deaths() {
        let log = "oom-kill:constraint=CONSTRAINT_MEMCG,task_memcg=/x,task=a,pid=1,uid=0\n\
                   Memory cgroup out of memory: Killed process 1 (a) total-vm:1kB, UID:0\n\
                   Tasks in /x are going to be killed due to memory.oom.group set\n\
                   Memory cgroup out of memory: Killed process 2 (b) total-vm:1kB, UID:0\n";
        assert_eq!(victims(log), [("a".to_owned(), 1), ("b".to_owned(), 2)]);
    }

    /// A unit with a memory limit on a lab guest; the tables around it hold many names.
    #[test]
    fn the_death_on_a_lab_guest_is_read() {
        let log = include_str!("../../../tests/captured/snapshot/lab-oom.dmesg");
        assert_eq!(victims(log), [("tail".to_owned(), 998)]);
        assert!(
            kills(log)[0]
                .line
                .contains("Killed process 998 (tail) total-vm:33168kB")
        );
    }

    #[test]
    fn what_kills_nobody_is_no_death() {
        for line in [
            "httpd invoked oom-killer: gfp_mask=0x201da, order=0, oom_score_adj=0",
            "Out of memory: Kill process 1790 (httpd) score 812 or sacrifice child",
            "oom_reaper: reaped process 1790 (httpd), now anon-rss:0kB",
            "Killed process x (httpd)",
            "",
        ] {
            assert_eq!(kills(line), [], "{line}");
        }
    }
}
