use super::*;
use crate::request::One;
use crate::store::SqliteStore;
use tempfile::TempDir;

fn desk() -> (TempDir, Desk) {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&directory.path().join("x.db")).unwrap();
    (directory, Desk::new(Arc::new(store)))
}

fn wanted(text: &str) -> Wanted {
    Wanted {
        text: text.to_owned(),
        submitter: "me".to_owned(),
        ..Wanted::default()
    }
}

async fn add(desk: &Desk, wanted: Wanted) -> String {
    let answer = desk.answer(Request::Add(Box::new(wanted))).await;
    answer["task"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

fn tasks(ids: &[&str]) -> Tasks {
    Tasks {
        tasks: ids.iter().map(|id| (*id).to_owned()).collect(),
        only_dead: false,
    }
}

#[tokio::test]
async fn what_a_group_says_holds_for_what_does_not_say_it() {
    let (_directory, desk) = desk();
    let check = vec!["make".to_owned()];
    let strict = Defaults {
        retry: crate::task::Retry {
            max: 3,
            ..Default::default()
        },
        timeout: Some(Duration::from_secs(60)),
        check: Some(check.clone()),
    };
    let desk = desk.defaults([(DEFAULT_GROUP.to_owned(), strict)].into());
    let id = add(&desk, wanted("a")).await;
    let task = desk.store().task(&id).await.unwrap();
    assert_eq!((task.spec.retry.max, task.spec.check), (3, Some(check)));
    let own = Wanted {
        retry: Some(0),
        timeout_ms: Some(5),
        ..wanted("b")
    };
    let id = add(&desk, own).await;
    let task = desk.store().task(&id).await.unwrap();
    assert_eq!(task.spec.retry.max, 0);
    assert_eq!(task.spec.timeout, Some(Duration::from_millis(5)));
    let message = Wanted {
        kind: crate::task::Kind::Message,
        to: Some("w".to_owned()),
        ..wanted("c")
    };
    let id = add(&desk, message).await;
    assert_eq!(desk.store().task(&id).await.unwrap().spec.check, None);
}

#[tokio::test]
async fn what_is_wrong_with_one_task_holds_up_no_other() {
    let (_directory, desk) = desk();
    let (one, two) = (add(&desk, wanted("a")).await, add(&desk, wanted("b")).await);
    let answer = desk
        .answer(Request::Hold(tasks(&[&one, "zzzzzzzzzzzz", "!", &two])))
        .await;
    let did: Vec<_> = answer["tasks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|task| &task["did"])
        .collect();
    assert_eq!(
        did,
        [&json!("held"), &Value::Null, &Value::Null, &json!("held")]
    );
    assert_eq!(answer["tasks"][1]["exit"], 4);
    assert_eq!(answer["tasks"][2]["exit"], 2);
    assert_eq!(desk.store().task(&two).await.unwrap().state, State::Held);
}

#[tokio::test]
async fn only_dead_letters_are_forgotten_as_such() {
    let (_directory, desk) = desk();
    let first = add(&desk, wanted("a")).await;
    let after = Wanted {
        after: vec![first.clone()],
        ..wanted("b")
    };
    let second = add(&desk, after).await;
    desk.answer(Request::Cancel {
        tasks: vec![first.clone()],
        force: false,
    })
    .await;
    assert_eq!(desk.store().task(&second).await.unwrap().state, State::Dead);
    let dead = Tasks {
        only_dead: true,
        ..tasks(&[&first, &second])
    };
    let answer = desk.answer(Request::Remove(dead)).await;
    assert_eq!(answer["tasks"][0]["exit"], 1, "{answer}");
    assert_eq!(answer["tasks"][1]["did"], "removed", "{answer}");
    assert!(desk.store().task(&first).await.is_ok());
}

#[tokio::test]
async fn a_group_keeps_what_is_not_said_of_it() {
    let (_directory, desk) = desk();
    let say = |parallel: Option<u32>, paused| Request::SetGroup {
        name: "g".to_owned(),
        parallel: parallel.map(|most| Parallel { most: Some(most) }),
        paused,
    };
    desk.answer(say(Some(2), None)).await;
    let answer = desk.answer(say(None, Some(true))).await;
    assert_eq!(answer["group"]["parallel"], 2, "{answer}");
    let answer = desk.answer(say(Some(3), None)).await;
    assert_eq!(answer["group"]["paused"], true, "{answer}");
}

#[tokio::test]
async fn a_limit_without_an_end_is_told_as_one() {
    let (_directory, desk) = desk();
    let name = || "team".to_owned();
    let limit = Request::Limit {
        name: name(),
        until: None,
        why: "bill".to_owned(),
    };
    let answer = desk.answer(limit).await;
    let account = &answer["account"];
    assert_eq!(
        (&account["limited"], &account["until"]),
        (&json!(true), &Value::Null)
    );
    let until = Some(Timestamp::MAX);
    let limit = Request::Limit {
        name: name(),
        until,
        why: "bill".to_owned(),
    };
    assert_eq!(desk.answer(limit).await["account"]["until"], Value::Null);
    let answer = desk.answer(Request::Clear { name: name() }).await;
    assert_eq!(answer["account"]["limited"], false);
    let answer = desk
        .answer(Request::Clear {
            name: "other".to_owned(),
        })
        .await;
    assert_eq!(answer["exit"], 4);
}

#[tokio::test]
async fn what_only_the_daemon_knows_is_handed_over_or_said_to_be_out_of_reach() {
    let (_directory, desk) = desk();
    assert_eq!(desk.answer(Request::Workers).await["exit"], 69);
    let (asked, mut asks) = mpsc::unbounded_channel::<Asked>();
    let desk = desk.daemon(asked);
    let id = add(&desk, wanted("a")).await;
    tokio::spawn(async move {
        while let Some((request, reply)) = asks.recv().await {
            let _ = reply.send(match request {
                Request::Why(_) => json!({"reasons": [{"kind": "busy", "text": "all work"}]}),
                _ => json!({"v": 1, "workers": []}),
            });
        }
    });
    assert_eq!(
        desk.answer(Request::Workers).await,
        json!({"v": 1, "workers": []})
    );
    let answer = desk.answer(Request::Why(One { task: id })).await;
    assert_eq!(answer["reasons"][0]["kind"], "busy", "{answer}");
}

#[tokio::test]
async fn a_copy_takes_no_files_place() {
    let (directory, desk) = desk();
    add(&desk, wanted("a")).await;
    let file = directory.path().join("copy.db");
    let backup = |file: &Path| Request::Backup {
        file: file.to_owned(),
    };
    assert_eq!(desk.answer(backup(&file)).await["v"], 1);
    let again = desk.answer(backup(&file)).await;
    assert_eq!(again["exit"], 2, "{again}");
    assert_eq!(desk.answer(backup(Path::new("x"))).await["exit"], 2);
    let copy = SqliteStore::open(&file).unwrap();
    assert_eq!(copy.tasks(Query::default()).await.unwrap().len(), 1);
}
