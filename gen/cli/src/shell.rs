//! `hwgen completions` and `hwgen man`: what shells and `man` ask for, from the same list of options as
//! `--help`.

use crate::failure::{Failure, usage};
use anyhow::{Context, anyhow};
use clap::CommandFactory;
use clap_complete::Shell;

/// Print a shell's completions
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen completions bash > ~/.local/share/bash-completion/completions/hwgen
  hwgen completions zsh > ~/.zfunc/_hwgen
  hwgen completions fish > ~/.config/fish/completions/hwgen.fish")]
pub(crate) struct CompletionArgs {
    /// The shell
    shell: Shell,
}

/// Print a manual page
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  hwgen man | man -l -                               read it
  hwgen man emit > hwgen-emit.1                      that of a subcommand")]
pub(crate) struct ManArgs {
    /// The subcommand; without, the command as a whole
    subcommand: Option<String>,
}

pub(crate) fn completions<C: CommandFactory>(args: &CompletionArgs) -> Result<(), Failure> {
    let mut text = vec![];
    clap_complete::generate(args.shell, &mut C::command(), "hwgen", &mut text);
    print_text(text)
}

pub(crate) fn man<C: CommandFactory>(args: &ManArgs) -> Result<(), Failure> {
    let mut command = C::command();
    command.build();
    let page = match &args.subcommand {
        None => command,
        Some(name) => {
            let found = command.find_subcommand(name).cloned();
            found.ok_or_else(|| usage(anyhow!("there is no subcommand `{name}`")))?
        }
    };
    let mut text = vec![];
    clap_mangen::Man::new(page).render(&mut text).context("cannot write the page")?;
    print_text(text)
}

fn print_text(text: Vec<u8>) -> Result<(), Failure> {
    let text = String::from_utf8(text).context("cannot write the text")?;
    crate::output::print(&text)
}
