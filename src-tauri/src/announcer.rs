//! Which notices are shown natively: each incident once, and again when it says something else.

use std::collections::HashMap;

use forge_api::{Notice, NoticeAction};
use tokio::sync::mpsc;

use crate::notification::{self, Order};

/// What the user did with a notification.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) notice: Notice,
    pub(crate) choice: Choice,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// It was clicked.
    Default,
    Action(NoticeAction),
}

/// The notifications that are out.
#[derive(Debug)]
pub(crate) struct Announcer {
    out: HashMap<String, Out>,
    answers: mpsc::UnboundedSender<(String, notification::Response)>,
}

#[derive(Debug)]
struct Out {
    notice: Notice,
    orders: mpsc::UnboundedSender<Order>,
}

/// What a notice that was told calls for.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Show,
    Replace,
    Nothing,
}

impl Announcer {
    /// What users answer comes out of the receiver, for [`Self::answered`].
    pub(crate) fn new() -> (Self, mpsc::UnboundedReceiver<(String, notification::Response)>) {
        let (answers, responses) = mpsc::unbounded_channel();
        (Self { out: HashMap::new(), answers }, responses)
    }

    /// Shows a notice, or what is new about it.
    pub(crate) fn tell(&mut self, notice: &Notice) {
        let known = self.out.get(&notice.id);
        match step(known.map(|out| &out.notice), notice) {
            Step::Nothing => {}
            Step::Replace
                if known.is_some_and(|out| out.orders.send(Order::Replace(notice.clone())).is_ok()) =>
            {
                if let Some(out) = self.out.get_mut(&notice.id) {
                    out.notice = notice.clone();
                }
            }
            Step::Show | Step::Replace => {
                let orders = notification::show(notice.clone(), self.answers.clone());
                self.out.insert(notice.id.clone(), Out { notice: notice.clone(), orders });
            }
        }
    }

    /// It is over.
    pub(crate) fn close(&mut self, id: &str) {
        if let Some(out) = self.out.remove(id) {
            let _ = out.orders.send(Order::Close);
        }
    }

    /// All that is wrong now: what is out beside that is over.
    pub(crate) fn sync(&mut self, notices: &[Notice]) {
        let over: Vec<String> = self
            .out
            .values()
            .map(|out| &out.notice)
            .filter(|known| known.kind.is_trouble() && !notices.iter().any(|notice| notice.id == known.id))
            .map(|notice| notice.id.clone())
            .collect();
        for id in over {
            self.close(&id);
        }
        for notice in notices {
            self.tell(notice);
        }
    }

    /// What a response means, if anything.
    pub(crate) fn answered(&mut self, id: &str, response: notification::Response) -> Option<Answer> {
        let notice = self.out.get(id)?.notice.clone();
        if !notice.kind.is_trouble() {
            // Nobody says when good news is over.
            self.out.remove(id);
        }
        let choice = match response {
            notification::Response::Closed => return None,
            notification::Response::Default => Choice::Default,
            notification::Response::Action(id) => {
                Choice::Action(notice.actions.iter().find(|action| action.id == id)?.clone())
            }
        };
        Some(Answer { notice, choice })
    }
}

fn step(known: Option<&Notice>, notice: &Notice) -> Step {
    match known {
        None => Step::Show,
        Some(known)
            if known.summary == notice.summary
                && known.body == notice.body
                && known.actions == notice.actions =>
        {
            Step::Nothing
        }
        Some(_) => Step::Replace,
    }
}

#[cfg(test)]
mod tests {
    use forge_api::{NoticeKind, Time};

    use super::*;

    fn notice(body: &str) -> Notice {
        Notice {
            id: "1".to_owned(),
            time: Time::now(),
            workspace: "/shop".into(),
            environment: "dev".to_owned(),
            process: Some("api".to_owned()),
            kind: NoticeKind::Crash,
            summary: "api crashed".to_owned(),
            body: body.to_owned(),
            actions: Vec::new(),
            until: None,
        }
    }

    #[test]
    fn an_incident_is_shown_once_and_again_when_it_says_something_else() {
        let shown = notice("exit 1");
        let later = Notice { until: Some(Time::now()), ..notice("exit 1") };
        assert_eq!(step(None, &shown), Step::Show, "new");
        assert_eq!(step(Some(&shown), &later), Step::Nothing, "it says the same");
        assert_eq!(step(Some(&shown), &notice("exit 2")), Step::Replace, "it says something else");
    }
}
