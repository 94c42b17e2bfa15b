//! A Slurm cluster of two nodes on this machine, as root, without systemd: munge with a key of its own,
//! a controller, two daemons. It ends when it is dropped, and with the test, whatever that dies of.
//!
//! The daemons listen on all interfaces: it is for closed machines.

#![allow(dead_code)]

use hwgen_files::{Group, Scratch};
use rustix::process::{Pid, Signal, kill_process};
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What takes longer will not come.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    daemons: Vec<Group>,
    folder: Scratch,
}

impl Cluster {
    pub(crate) fn start() -> Cluster {
        let install =
            "it needs root, `apt-get install -y slurm-wlm munge`, and a machine nobody reaches";
        assert!(rustix::process::geteuid().is_root(), "{install}");
        let controller = hwgen_tools::require("slurmctld").expect(install).path;
        let folder = Scratch::new().unwrap();
        let mut cluster = Cluster { daemons: vec![], folder };
        cluster.configure();
        cluster.munge();
        cluster.daemon(&controller, &["-D", "-c"]);
        for node in ["w1", "w2"] {
            cluster.daemon(&controller.with_file_name("slurmd"), &["-D", "-N", node]);
        }
        cluster.until(|cluster| {
            let said = cluster.ask("sinfo", &["--noheader", "--Node", "--format=%T"]);
            said.lines().filter(|line| *line == "idle").count() == 2
        });
        cluster
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn configure(&self) {
        for folder in ["state", "spool", "log", "bin"] {
            fs::create_dir(self.path(folder)).unwrap();
        }
        // held until all are known, so that they differ
        let sockets = [(); 3].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [controller, one, two] =
            sockets.each_ref().map(|socket| socket.local_addr().unwrap().port());
        let root = self.folder.path().display();
        let text = format!(
            "ClusterName=farm
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={root}/munge.socket
CryptoType=crypto/munge
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool/%n
SlurmdPidFile={root}/%n.pid
SlurmctldPidFile={root}/controller.pid
SlurmctldLogFile={root}/log/controller
SlurmdLogFile={root}/log/%n
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/builtin
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
SlurmdParameters=config_overrides
MpiDefault=none
KillWait=2
MinJobAge=5
ReturnToService=2
NodeName=w1 NodeHostname=localhost NodeAddr=127.0.0.1 Port={one} CPUs=4 State=UNKNOWN
NodeName=w2 NodeHostname=localhost NodeAddr=127.0.0.1 Port={two} CPUs=4 State=UNKNOWN
PartitionName=all Nodes=w1,w2 Default=YES MaxTime=INFINITE State=UP
"
        );
        fs::write(self.path("slurm.conf"), text).unwrap();
        for name in ["sbatch", "squeue", "scancel", "sinfo"] {
            let path = self.path(&format!("bin/{name}"));
            let program = hwgen_tools::require("slurm").unwrap().path.with_file_name(name);
            let (conf, program) = (self.path("slurm.conf"), program.display().to_string());
            let text = format!("#!/bin/sh\nSLURM_CONF='{conf}' exec '{program}' \"$@\"\n");
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    fn munge(&mut self) {
        let key = self.path("munge.key");
        fs::write(&key, [7; 1024]).unwrap();
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
        let mut arguments = vec!["--foreground".to_owned(), "--force".to_owned()];
        let files = [
            ("key", "key"),
            ("socket", "socket"),
            ("pid", "pid"),
            ("log", "log"),
            ("seed", "seed"),
        ];
        for (option, name) in files {
            let option = if option == "socket" { option.into() } else { format!("{option}-file") };
            arguments.push(format!("--{option}={}", self.path(&format!("munge.{name}"))));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        self.daemon(Path::new("/usr/sbin/munged"), &arguments);
        self.until(|cluster| Path::new(&cluster.path("munge.socket")).exists());
    }

    fn daemon(&mut self, program: &Path, arguments: &[&str]) {
        let mut command = Command::new(program);
        command.args(arguments).env("SLURM_CONF", self.path("slurm.conf"));
        let group = Group::start(&command, false, Stdio::null(), Stdio::null());
        self.daemons.push(group.unwrap_or_else(|error| panic!("{}: {error}", program.display())));
    }

    /// Where commands lie that ask this cluster.
    pub(crate) fn tools(&self) -> PathBuf {
        self.folder.path().join("bin")
    }

    /// What all of its processes have among their variables.
    pub(crate) fn mark(&self) -> String {
        format!("SLURM_CONF={}", self.path("slurm.conf"))
    }

    fn ask(&self, program: &str, arguments: &[&str]) -> String {
        let output = Command::new(self.tools().join(program)).args(arguments).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }

    /// What is not over: a job's number and its state.
    pub(crate) fn queue(&self) -> Vec<String> {
        let said = self.ask("squeue", &["--noheader", "--array", "--format=%i %T"]);
        said.lines().map(str::to_owned).collect()
    }

    /// Cancels one of the jobs that run; whether there was one.
    pub(crate) fn cancel_one(&self, pick: usize) -> bool {
        let queue = self.queue();
        let running: Vec<_> =
            queue.iter().filter_map(|line| line.strip_suffix(" RUNNING")).collect();
        if running.is_empty() {
            return false;
        }
        self.ask("scancel", &[running[pick % running.len()]]);
        true
    }

    /// Kills one of its processes with such a command line by -9; whether there was one.
    pub(crate) fn kill_one(&self, pick: usize, is_meant: impl Fn(&str) -> bool) -> bool {
        let mut found = processes(&self.mark());
        found.retain(|(_, line)| is_meant(line));
        if let Some((id, _)) = found.get(pick % found.len().max(1)) {
            kill(*id);
        }
        !found.is_empty()
    }

    pub(crate) fn until(&self, is_so: impl Fn(&Cluster) -> bool) {
        let began = Instant::now();
        while !is_so(self) {
            if began.elapsed() > PATIENCE {
                let log = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
                panic!("never:\n{}{}", log("log/controller"), log("log/w1"));
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        let mark = self.mark();
        self.ask("scancel", &["--quiet", "--user=root", "--full", "--signal=KILL"]);
        self.daemons.clear();
        // steps are in sessions of their own
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            let left = processes(&mark);
            if left.is_empty() {
                return;
            }
            left.iter().for_each(|(id, _)| kill(*id));
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn kill(id: i32) {
    if let Some(id) = Pid::from_raw(id) {
        // it may be gone
        let _ = kill_process(id, Signal::KILL);
    }
}

/// Processes with this among their variables, and what they are.
fn processes(mark: &str) -> Vec<(i32, String)> {
    let has = |id: i32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        let state = fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
        !state.contains(") Z ")
            && environment.split(|byte| *byte == 0).any(|e| e == mark.as_bytes())
    };
    all().into_iter().filter(|(id, _)| has(*id)).collect()
}

/// Command lines, words ended by zero bytes, by process.
fn all() -> Vec<(i32, String)> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let line = |id: i32| fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    ids.map(|id| (id, String::from_utf8_lossy(&line(id)).into_owned())).collect()
}

/// What is left of a cluster that should be gone.
pub(crate) fn left(mark: &str) -> Vec<String> {
    processes(mark).into_iter().map(|(_, line)| line.replace('\0', " ")).collect()
}
