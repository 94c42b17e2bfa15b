//! A batch system that is silent for a while: a search of days is not ended by a restart of its controller.

use crate::FarmError;
use std::time::{Duration, Instant};

pub(crate) struct Patience {
    limit: Duration,
    failing: Option<Instant>,
    has_answered: bool,
}

impl Patience {
    /// Nothing is borne before a first answer: what was asked may be wrong.
    pub(crate) fn new(limit: Duration) -> Patience {
        Patience { limit, failing: None, has_answered: false }
    }

    /// The answer; nothing for an error that may still pass.
    pub(crate) fn bear<T: Default>(
        &mut self,
        answer: Result<T, FarmError>,
    ) -> Result<T, FarmError> {
        match answer {
            Ok(answer) => {
                (self.failing, self.has_answered) = (None, true);
                Ok(answer)
            }
            Err(error) => {
                let since = *self.failing.get_or_insert_with(Instant::now);
                let may_pass = self.has_answered && since.elapsed() < self.limit;
                if may_pass { Ok(T::default()) } else { Err(error) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_borne_for_a_while() {
        let silent = || Err::<u8, _>(FarmError::answer("squeue", "", "a list"));
        let mut patience = Patience::new(Duration::from_millis(50));
        patience.bear(silent()).unwrap_err();
        assert_eq!(patience.bear(Ok(7)).unwrap(), 7);
        assert_eq!(patience.bear(silent()).unwrap(), 0);
        std::thread::sleep(Duration::from_millis(60));
        let error = patience.bear(silent()).unwrap_err().to_string();
        assert_eq!(error, "`squeue` answered ``, not a list");
        patience.bear(Ok(7)).unwrap();
        patience.bear(silent()).unwrap();
    }
}
