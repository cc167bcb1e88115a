//! Which notices are shown natively: each incident once, and again when it says something else.

use std::collections::{HashMap, HashSet};

use forge_api::{Notice, NoticeAction};

/// The notices that were shown and are not over.
#[derive(Debug, Default)]
pub struct Announcements {
    out: HashMap<String, Notice>,
    /// Those of which the user has had enough, unless they get worse.
    put_away: HashSet<String>,
}

/// What is to be done on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Show(Notice),
    /// In place of what is shown of the same notice, where that can be.
    Replace(Notice),
    /// By its id.
    Close(String),
}

/// What the user did with what was shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// It was clicked.
    Default,
    /// By its id.
    Action(String),
    /// The user has put it away.
    PutAway,
    /// It went by itself.
    Closed,
}

/// What that means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub notice: Notice,
    pub choice: Choice,
}

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    /// To see what it is about.
    Look,
    Action(NoticeAction),
}

impl Announcements {
    /// The supervisor tells of a notice, new or not.
    pub fn tell(&mut self, notice: &Notice) -> Option<Step> {
        match self.out.insert(notice.id.clone(), notice.clone()) {
            None => Some(Step::Show(notice.clone())),
            Some(known) if says_the_same(&known, notice) => None,
            Some(known) if known.kind == notice.kind && self.put_away.contains(&notice.id) => None,
            Some(_) => Some(Step::Replace(notice.clone())),
        }
    }

    /// It is over.
    pub fn close(&mut self, id: &str) -> Option<Step> {
        self.put_away.remove(id);
        self.out.remove(id).map(|notice| Step::Close(notice.id))
    }

    /// All that is wrong now; what is out beside that is over.
    pub fn sync(&mut self, notices: &[Notice]) -> Vec<Step> {
        let is_over =
            |known: &&Notice| known.kind.is_trouble() && !notices.iter().any(|notice| notice.id == known.id);
        let over: Vec<String> = self.out.values().filter(is_over).map(|notice| notice.id.clone()).collect();
        let closed: Vec<Step> = over.iter().filter_map(|id| self.close(id)).collect();
        closed.into_iter().chain(notices.iter().filter_map(|notice| self.tell(notice))).collect()
    }

    /// The meaning of a response to the notice of that id, if it has any.
    pub fn answered(&mut self, id: &str, response: Response) -> Option<Answer> {
        let notice = self.out.get(id)?.clone();
        if !notice.kind.is_trouble() {
            // Nobody says when good news is over.
            self.out.remove(id);
        }
        let choice = match response {
            Response::Closed => return None,
            Response::PutAway => {
                if notice.kind.is_trouble() {
                    self.put_away.insert(notice.id);
                }
                return None;
            }
            Response::Default => Choice::Look,
            Response::Action(id) => {
                Choice::Action(notice.actions.iter().find(|action| action.id == id)?.clone())
            }
        };
        Some(Answer { notice, choice })
    }
}

fn says_the_same(one: &Notice, other: &Notice) -> bool {
    one.summary == other.summary && one.body == other.body && one.actions == other.actions
}

#[cfg(test)]
mod tests {
    use forge_api::{NoticeKind, Time};

    use super::*;

    fn notice(kind: NoticeKind, body: &str) -> Notice {
        let restart =
            NoticeAction { id: "restart".to_owned(), label: "Restart now".to_owned(), shows: false };
        Notice {
            id: "1".to_owned(),
            time: Time::now(),
            workspace: "/shop".into(),
            environment: "dev".to_owned(),
            process: Some("api".to_owned()),
            kind,
            summary: "api crashed".to_owned(),
            body: body.to_owned(),
            actions: vec![restart],
            until: None,
            settled: false,
        }
    }

    #[test]
    fn an_incident_is_shown_once_and_again_when_it_says_something_else() {
        let mut announcements = Announcements::default();
        let first = notice(NoticeKind::Crash, "exit 1");
        let same = Notice { until: Some(Time::now()), ..first.clone() };
        let other = notice(NoticeKind::Crash, "exit 2");
        assert_eq!(announcements.tell(&first), Some(Step::Show(first)), "new");
        assert_eq!(announcements.tell(&same), None, "it says the same");
        assert_eq!(announcements.tell(&other), Some(Step::Replace(other)), "it says something else");
        assert_eq!(announcements.close("1"), Some(Step::Close("1".to_owned())), "over");
        assert_eq!(announcements.close("1"), None, "once");
    }

    #[test]
    fn what_was_put_away_comes_back_when_it_gets_worse() {
        let mut announcements = Announcements::default();
        let told = |kind, body| notice(kind, body);
        announcements.tell(&told(NoticeKind::Crash, "exit 1"));
        assert_eq!(announcements.answered("1", Response::PutAway), None, "nothing is to be done");
        assert_eq!(announcements.tell(&told(NoticeKind::Crash, "exit 1 again")), None, "enough of that");
        let worse = told(NoticeKind::CrashLoop, "not restarted any more");
        assert_eq!(announcements.tell(&worse), Some(Step::Replace(worse)), "but of this");
        announcements.close("1");
        let next = told(NoticeKind::Crash, "exit 1");
        assert_eq!(announcements.tell(&next), Some(Step::Show(next)), "and of the next incident");
    }

    #[test]
    fn what_is_no_longer_wrong_is_taken_away() {
        let mut announcements = Announcements::default();
        let crash = notice(NoticeKind::Crash, "exit 1");
        assert_eq!(announcements.sync(std::slice::from_ref(&crash)), [Step::Show(crash.clone())], "new");
        assert_eq!(announcements.sync(&[crash]), [], "known");
        assert_eq!(announcements.sync(&[]), [Step::Close("1".to_owned())], "over");
    }

    #[test]
    fn only_what_was_offered_can_be_chosen() {
        let mut announcements = Announcements::default();
        let crash = notice(NoticeKind::Crash, "exit 1");
        announcements.tell(&crash);
        let mut chosen = |response| announcements.answered("1", response).map(|answer| answer.choice);
        assert_eq!(chosen(Response::Default), Some(Choice::Look), "a click");
        let restart = Choice::Action(crash.actions[0].clone());
        assert_eq!(chosen(Response::Action("restart".to_owned())), Some(restart), "a button");
        assert_eq!(chosen(Response::Action("reboot".to_owned())), None, "no button");
        assert_eq!(chosen(Response::Closed), None, "put away");
    }
}
