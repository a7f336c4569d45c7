//! When the screen has to be drawn though nothing happened: when a time on it is shown otherwise.

use std::time::Duration;

use jiff::Timestamp;

use super::amounts::{until_nearer, until_older};
use super::listing::Unit;
use super::model::{App, Beside, Mode};

/// How long what is on the screen at `now` stays right; none when no time is shown.
///
/// All times change with a whole second, so that a hundred units do not ask for a hundred redraws.
pub(super) fn fresh_for(app: &App, now: Timestamp) -> Option<Duration> {
    let unit = |unit: &Unit| {
        let since = unit.since.map(|since| until_older(since, now));
        let reset = unit.reset.and_then(|reset| until_nearer(reset, now));
        since.into_iter().chain(reset).min()
    };
    let height = usize::from(app.areas().list.height);
    let listed = !matches!(app.mode, Mode::Reading(_));
    let listed = app
        .shown()
        .skip(app.top)
        .take(if listed { height } else { 0 });
    let about = match &app.mode {
        Mode::Confirm(confirm) => app.unit(&confirm.unit),
        _ => app
            .selection()
            .filter(|_| matches!(app.beside, Beside::Details { .. })),
    };
    let lost = app.lost.iter().map(|lost| lost.since);
    let heard = app.heard.filter(|_| app.lost.is_some());
    let lost = lost.chain(heard).map(|since| until_older(since, now));
    let seconds = listed.chain(about).filter_map(unit).chain(lost).min()?;
    let then = Timestamp::from_second(now.as_second().saturating_add(seconds)).ok()?;
    Duration::try_from(then.duration_since(now)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::top::action::Event;
    use crate::top::demo;
    use crate::top::listing::Listing;

    fn after(listing: Listing) -> Option<Duration> {
        let mut app = App::new(80, 24);
        app.update(Event::Listing(listing), demo::START);
        fresh_for(&app, demo::START)
    }

    fn aged(seconds: &[i64]) -> Listing {
        let mut listing = demo::listing(seconds.len(), 0, demo::START);
        for (unit, age) in listing.units.iter_mut().zip(seconds) {
            unit.reset = None;
            unit.since = Timestamp::from_second(demo::START.as_second() - age).ok();
        }
        listing
    }

    #[test]
    fn nothing_is_due_where_no_time_is_shown() {
        assert_eq!(after(aged(&[])), None);
    }

    #[test]
    fn the_screen_is_due_when_the_first_time_on_it_changes() {
        assert_eq!(after(aged(&[61, 125])), Some(Duration::from_secs(55)));
        assert_eq!(after(aged(&[61, 30])), Some(Duration::from_secs(1)));
    }

    #[test]
    fn it_is_due_on_the_second() {
        let mut app = App::new(80, 24);
        let now = demo::START + Duration::from_millis(700);
        app.update(Event::Listing(aged(&[30])), now);
        assert_eq!(fresh_for(&app, now), Some(Duration::from_millis(300)));
    }

    #[test]
    fn units_that_are_not_on_the_screen_ask_for_nothing() {
        let mut ages = vec![70; 60];
        ages.push(10);
        let mut listing = aged(&ages);
        for unit in &mut listing.units {
            unit.state_word = "busy".into();
        }
        assert_eq!(after(listing), Some(Duration::from_secs(50)));
    }

    #[test]
    fn a_daemon_that_is_away_is_away_a_second_longer() {
        let mut app = App::new(80, 24);
        app.update(Event::Lost("gone".into()), demo::START);
        assert_eq!(fresh_for(&app, demo::START), Some(Duration::from_secs(1)));
    }
}
