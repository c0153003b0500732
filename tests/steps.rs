//! Every kind of work, run by itself: one action against a sandbox in this process, without the
//! command line. The table says for each kind what becomes of its thing: it is made, changed,
//! adopted, removed, or left alone; the answer is lost, or the call is refused.
//! Not for: the order of actions (see `survival`), or what people read (see `told`).

mod hands;
mod stand;
mod table;

use crate::survival::each;
use crrctl::events::StepId;
use crrctl::failure;
use crrctl::plan::Action;
use crrctl::steps::Steps;
use serde_json::json;
use stand::{Aim, Base, Planned, SOURCE, StepTest};
use std::time::Instant;
use table::{Case, Cell, Cells, ROWS, Row, Theirs, cells, more, row_of};

/// A fault of the call that writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    LostReply,
    Refused,
}

/// Returns the action of a case, and the step's id.
fn found<'a>(row: Row, cells: &Cells, case: &Case, planned: &'a Planned) -> &'a Action {
    let name = case.name.unwrap_or(cells.name);
    let (before, after) = name.split_once("KEY").unwrap_or((name, ""));
    let is_it = |action: &&Action| {
        let id = action.id.as_str().strip_prefix(cells.kind.as_str());
        let id = id.and_then(|id| id.strip_prefix('/')).unwrap_or_default();
        let is_named = if name.contains("KEY") {
            id.starts_with(before) && id.ends_with(after)
        } else {
            id == name
        };
        is_named && row_of(&action.work) == row
    };
    let all: Vec<&StepId> = planned.plan.actions.iter().map(|action| &action.id).collect();
    let action = planned.plan.actions.iter().find(is_it);
    action.unwrap_or_else(|| panic!("{row:?}: no such action in {all:?}"))
}

/// Runs the action of `case`, and asserts all that the table says of it.
async fn run(test: &StepTest, (row, cells, case): (Row, &Cells, &Case), fault: Fault) {
    let when = format!("{row:?} {} with {fault:?}", case.verb);
    (case.before)(test).await;
    let planned = test.planned(case.aim).await;
    let action = found(row, cells, case, &planned);
    assert_eq!(action.verb(), case.verb, "{when}: {:?}", action.work);
    let steps = planned.steps();
    for needed in planned.needed(action) {
        let ran = test.ran(&steps, needed).await;
        ran.unwrap_or_else(|failure| panic!("{when} needs {}: {failure:?}", needed.id));
    }
    (case.meanwhile)(test).await;
    let (before, operation) = (test.writes(), case.writes.first().map(|(name, _)| *name));
    let struck = match (fault, operation) {
        (Fault::LostReply, Some(name)) => Some(format!("{name}:lost-reply:times=1")),
        (Fault::Refused, Some(name)) => Some(format!("{name}:error=AccessDenied:times=1")),
        _ => None,
    };
    test.faults(struck.as_slice());
    let ran = test.ran(&steps, action).await;
    let mut writes = test.writes();
    for (name, count) in before {
        writes.entry(name).and_modify(|it| *it -= count);
    }
    writes.retain(|_, count| *count > 0);
    if fault == Fault::Refused {
        let Err(failure) = ran else { panic!("{when}: it went on") };
        assert_eq!(failure.kind, failure::Kind::Denied, "{when}: {failure:?}");
        let (operation, message) = (operation.unwrap_or_default(), &failure.message);
        assert!(message.contains(operation) && failure.region.is_some(), "{when}: {failure:?}");
        // KMS counts no call that it refuses.
        assert!(writes.get(operation) <= Some(&1), "{when}: it is not tried again");
    } else {
        let arn = ran.unwrap_or_else(|failure| panic!("{when}: {failure:?}"));
        assert!(arn.as_str().starts_with("arn:aws:"), "{when}: {arn}");
        let is_told = steps.replaced().iter().any(|it| it.step == action.id);
        assert_eq!(is_told, case.replaced, "{when}: {:?}", steps.replaced());
    }
    if fault == Fault::None {
        let expected = case.writes.iter().map(|(name, count)| ((*name).to_owned(), *count));
        assert_eq!(writes, expected.collect(), "{when}");
        for thing in case.theirs {
            still_theirs(test, *thing, (&steps, action), &when).await;
        }
    }
    if fault == Fault::Refused {
        let again = test.planned(case.aim).await;
        let action = again.action(&action.id).filter(|action| action.changes());
        let action = action.unwrap_or_else(|| panic!("{when}: it is planned again"));
        let steps = again.steps();
        for action in again.needed(action).into_iter().chain([action]) {
            let ran = test.ran(&steps, action).await;
            ran.unwrap_or_else(|failure| panic!("{when}, then {}: {failure:?}", action.id));
        }
    }
    let after = test.planned(case.aim).await;
    let left = after.action(&action.id).filter(|action| action.changes());
    assert_eq!(left.is_some(), case.planned_again, "{when}: it is done: {left:#?}");
}

/// Asserts that what others own is still there.
async fn still_theirs(
    test: &StepTest,
    thing: Theirs,
    (steps, action): (&Steps, &Action),
    when: &str,
) {
    let was = steps.replaced().into_iter().find(|it| it.step == action.id);
    let was = was.map(|it| it.document);
    let (theirs, all) = match thing {
        Theirs::Tag => ("owner", tags_of(test).await),
        Theirs::Statement => ("Theirs", hands::sids(test, SOURCE).await),
        Theirs::LifecycleRule => ("theirs", hands::lifecycle_ids(test, SOURCE).await),
        Theirs::OlderLifecycleRule => ("logs/", hands::lifecycle_prefixes(test).await),
        Theirs::Notification => ("theirs", hands::notification_ids(test).await),
        Theirs::Rule => ("theirs", hands::rule_ids(test).await),
        Theirs::BlockedTypes => {
            let rule = json!({
                "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
                "BucketKeyEnabled": false,
                "BlockedEncryptionTypes": {"EncryptionType": ["NONE"]},
            });
            assert_eq!(was, Some(json!({"Rules": [rule]})), "{when}");
            ("NONE", hands::blocked_types(test).await)
        }
        Theirs::KeyFormat => {
            let format = json!({"PartitionedPrefix": {"PartitionDateSource": "EventTime"}});
            let logging = json!({"LoggingEnabled": {"TargetBucket": SOURCE, "TargetPrefix": "own/",
                "TargetObjectKeyFormat": format}});
            assert_eq!(was, Some(logging), "{when}");
            ("EventTime", hands::log_dates(test).await)
        }
        Theirs::Key => {
            let named = hands::named_key(test).await;
            let home = StepTest::region("us-east-1");
            let used = steps.keys().id(&home).map(ToString::to_string);
            assert_eq!(used, Some(named.clone()), "{when}: the other run's key is used");
            let scheduled: Vec<String> =
                steps.scheduled().keys().map(ToString::to_string).collect();
            let is_ours = scheduled.len() == 1 && !scheduled[0].ends_with(&named);
            assert!(is_ours, "{when}: this run's key is scheduled: {scheduled:?}");
            return;
        }
    };
    assert!(all.iter().any(|it| it == theirs), "{when}: {thing:?} is gone: {all:?}");
}

async fn tags_of(test: &StepTest) -> Vec<String> {
    hands::tags(test, SOURCE).await.into_iter().map(|(key, _)| key).collect()
}

/// Returns the case whose call is refused or gets no answer: the first that makes one.
fn first_that_writes(cells: &Cells) -> Option<&Case> {
    [&cells.make, &cells.change, &cells.remove].into_iter().find_map(|cell| match cell {
        Cell::Runs(case) => Some(case).filter(|case| !case.writes.is_empty()),
        Cell::Senseless(_) => None,
    })
}

/// Every action alone: made, changed, adopted, removed, with its answer lost, and refused.
#[test]
fn every_kind_of_work_does_what_the_table_says() {
    let began = Instant::now();
    let table: Vec<(Row, Cells)> = ROWS.iter().map(|row| (*row, cells(*row))).collect();
    let rare: Vec<Vec<Case>> = ROWS.iter().map(|row| more(*row)).collect();
    let (mut runs, mut senseless) = (Vec::new(), 0);
    for ((row, cells), rare) in table.iter().zip(&rare) {
        runs.extend(rare.iter().map(|case| (*row, cells, case, Fault::None)));
        for cell in [&cells.make, &cells.change, &cells.adopt, &cells.remove] {
            match cell {
                Cell::Runs(case) => runs.push((*row, cells, case, Fault::None)),
                Cell::Senseless(why) => {
                    assert!(why.len() > 10, "{row:?} says why");
                    senseless += 1;
                }
            }
        }
        let case = first_that_writes(cells).unwrap_or_else(|| panic!("{row:?} writes nothing"));
        runs.extend([Fault::LostReply, Fault::Refused].map(|fault| (*row, cells, case, fault)));
    }
    each(16, |n| {
        let Some((row, cells, case, fault)) = runs.get(n) else { return false };
        StepTest::of(case.base, async |test| {
            let run = run(test, (*row, cells, case), *fault);
            // S3 goes by removed rules for minutes.
            match case.base {
                Base::Adopted => test.sandbox.in_fast_time(run).await,
                _ => run.await,
            }
        });
        true
    });
    let (rows, runs, took) = (table.len(), runs.len(), began.elapsed().as_secs_f64());
    println!("{rows} kinds of work, {runs} runs, {senseless} that make no sense: {took:.1} s");
}

/// An action that has nothing to do makes no call, and the engine does not run it.
#[test]
fn what_stands_is_left_alone() {
    let table: Vec<(Row, Cells)> = ROWS.iter().map(|row| (*row, cells(*row))).collect();
    for base in [Base::Whole, Base::Dropped] {
        StepTest::of(base, async |test| left_alone(test, base, &table).await);
    }
}

async fn left_alone(test: &StepTest, base: Base, table: &[(Row, Cells)]) {
    let planned = test.planned(Aim::Build).await;
    let is_here = |cells: &&(Row, Cells)| matches!(cells.1.unchanged, Ok((it, _)) if it == base);
    for (row, cells) in table.iter().filter(is_here) {
        let is_it = |action: &&Action| row_of(&action.work) == *row;
        let all: Vec<&Action> = planned.plan.actions.iter().filter(is_it).collect();
        assert!(!all.is_empty(), "{row:?} has no action");
        for action in all {
            let wanted = cells.unchanged.as_ref().map(|(_, verb)| *verb);
            assert_eq!(Ok(&action.verb()), wanted.as_ref(), "{}: {:?}", action.id, action.work);
            let before = test.calls();
            let failure = test.ran(&planned.steps(), action).await.unwrap_err();
            assert!(failure.message.contains("has nothing to do"), "{}: {failure:?}", action.id);
            assert_eq!(test.calls(), before, "{} makes a call", action.id);
        }
    }
}
