//! `blinkctl ask`: a question about one's own figures to a language model of the person's choice.
//!
//! - `model`: the request, and every way in which it fails

mod model;

use blink_figures::{
    ask::{self, Checked, Part},
    told,
};
use jiff::Zoned;
use serde_json::json;

use self::model::Model;
use crate::{
    context::Context,
    exit::Failure,
    output::{self, Paint, Tone, plain},
    own::{OwnHistory, require_consent},
    progress::Progress,
};

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  blinkctl ask \"Do I blink less in the afternoon?\" --model-url http://127.0.0.1:11434/v1 --model llama3.2
  blinkctl ask \"How was this week?\" --dry-run

It is off until you name a model: any address that speaks like OpenAI's, such as llama.cpp, Ollama or your company's
gateway. Sums leave, and never a minute, a picture or a name: --dry-run prints all of it, byte for byte. A number in the
answer that is not in your figures is struck out.")]
pub(crate) struct Args {
    /// What you want to know
    #[arg(value_name = "QUESTION", value_parser = question)]
    question: String,

    /// The model's address, such as http://127.0.0.1:11434/v1
    #[arg(long, value_name = "URL", env = "BLINKCTL_MODEL_URL")]
    model_url: Option<String>,

    /// The model's name, as its server has it
    #[arg(long, value_name = "NAME", env = "BLINKCTL_MODEL", default_value = "default")]
    model: String,

    /// A file with the key of that server, if it wants one
    #[arg(long, value_name = "FILE", env = "BLINKCTL_MODEL_KEY_FILE")]
    key_file: Option<std::path::PathBuf>,

    /// Print what would leave, and send nothing
    #[arg(long)]
    dry_run: bool,
}

fn question(text: &str) -> Result<String, String> {
    match text.trim() {
        text if (1..=ask::MAX_QUESTION).contains(&text.chars().count()) => Ok(text.to_owned()),
        _ => Err(format!("it must have 1 to {} characters", ask::MAX_QUESTION)),
    }
}

pub(crate) async fn run(args: &Args, context: &Context) -> Result<(), Failure> {
    require_consent(&context.paths)?;
    let mut history = OwnHistory::open(&context.paths);
    let now = Zoned::now();
    let hours = history.hours(told::span(now.date()), &now)?;
    let figures = told::overview(&hours, history.setups());
    let body = ask::request(&args.model, &args.question, &figures).to_string();
    if args.dry_run {
        return context.output.text(&body);
    }
    let Some(url) = &args.model_url else {
        let fix = "Name one with --model-url, such as http://127.0.0.1:11434/v1 for Ollama; --dry-run shows what would leave.";
        return Err(Failure::usage("no_model", "No model is named, so nothing was asked", fix));
    };
    let model = Model::new(url, args.key_file.as_deref())?;
    let waiting = Progress::waiting("The model is thinking", context.output);
    let answer = tokio::task::spawn_blocking(move || model.ask(&body)).await;
    drop(waiting);
    let answer = answer.map_err(|error| Failure::failed("internal", error.to_string(), "Please report it."))??;
    let checked = ask::check(&answer, &figures);
    let stricken = checked.stricken();
    let result = json!({ "answer": checked.marked(), "model": args.model, "stricken": stricken });
    context.output.result(&result, |paint| shown(&checked, paint))
}

/// The answer for a person: made-up numbers are struck out, and how many is said.
fn shown(checked: &Checked, paint: Paint) -> String {
    let part = |part: &Part| match part {
        Part::Told(text) => text.lines().map(plain).collect::<Vec<_>>().join("\n"),
        Part::Stricken(number) => paint.struck(&plain(number)),
    };
    let text: String = checked.0.iter().map(part).collect();
    let text =
        output::columns().filter(|_| output::stdout_is_terminal()).map_or(text.clone(), |w| output::wrapped(&text, w));
    let note = match checked.stricken().len() {
        0 => String::new(),
        1 => "1 number is struck out: it is not in your figures.\n".to_owned(),
        n => format!("{n} numbers are struck out: they are not in your figures.\n"),
    };
    format!("{text}\n{}", paint.with(Tone::Calm, &note))
}
