//! What becomes of the world when something that is under way takes its next step, breaks off, or fails.

use onetimeshare_server::record::TRIES_MAX;

use super::{Life, Moved};
use crate::call::{Answer, Call, Claimant};
use crate::fault::Fault;
use crate::invariant::Invariant;
use crate::object::{Object, Objects};
use crate::world::{Reading, Work, World};

impl Life {
    /// Time goes on.
    pub(super) fn tick(world: &mut World) {
        world.tick += 1;
        for work in &mut world.work {
            // A writer that was not done by its deadline is broken off, and what it wrote cannot appear any more.
            if let Work::Write(_, until) | Work::Stray(_, until) = *work
                && until <= world.tick
            {
                *work = Work::None;
            }
        }
    }

    /// A call that begins some work, or is the whole of it.
    pub(super) fn answer(&mut self, world: &mut World, call: Call) -> Moved {
        if let (Some(Fault::ClaimsInTwoSteps), Call::Claim(number)) = (self.fault, call) {
            world.begin(Work::Claim(number, world.records));
            return Ok(());
        }
        match (call, self.say(world, call)?) {
            (
                Call::Fetch(number),
                Answer::Fetched {
                    is_whole,
                    has_body: false,
                },
            ) => {
                let reading = world.count(|work| matches!(work, Work::Body(..)));
                if reading < self.scenario.readers {
                    world.begin(Work::Body(number, 0, Reading::Renews, is_whole));
                }
            }
            (Call::Take, Answer::Taken(taken)) if !taken.is_empty() => {
                world.begin(Work::Sweep(taken, Objects::default(), world.tick));
            }
            _ => {}
        }
        Ok(())
    }

    /// A server begins to write a part, if it is let.
    pub(super) fn begin_part(&mut self, world: &mut World, part: u8) -> Moved {
        let tries = &mut world.tries[usize::from(part)];
        let attempt = if self.fault == Some(Fault::SharesObjects) {
            0
        } else {
            *tries
        };
        let object = Object::new(part, attempt);
        let next = *tries + 1;
        let is_crowded = self.is_crowded(world);
        if self.say(world, Call::Begin(object))? == Answer::Begun(true) {
            if is_crowded {
                return Err(Invariant::TriesAreBounded);
            }
            world.tries[usize::from(part)] = next;
            // Its deadline begins when the server hears the answer, which is less than another one away.
            let until = world.tick + 2 * self.scenario.ticks.part_deadline;
            world.begin(Work::Write(object, until));
        }
        Ok(())
    }

    /// Whether as many tries of parts are in the queue as may.
    fn is_crowded(&self, world: &World) -> bool {
        let tables = self.records.tables(world.records);
        let parts = tables.entries.values().map(|entry| entry.parts.len());
        let count = parts.sum::<usize>() + tables.deletions.len();
        let count = self.scenario.stuck + u64::try_from(count).expect("a small number");
        count >= u64::from(self.scenario.parts) + TRIES_MAX
    }

    /// The next step of the work in this place.
    pub(super) fn go(&mut self, world: &mut World, at: usize) -> Moved {
        let work = std::mem::take(&mut world.work[at]);
        world.work[at] = match work {
            Work::Written(object) => {
                self.say(world, Call::Accept(object))?;
                Work::None
            }
            Work::Body(number, part, reading, is_whole) => {
                let next = self.read(world, (number, part), reading)?;
                match next {
                    Some((part, reading)) => Work::Body(number, part, reading, is_whole),
                    None if is_whole => Work::EndOfBody(number),
                    None => Work::None,
                }
            }
            Work::EndOfBody(number) => {
                self.say(world, Call::EndFetch(number))?;
                Work::None
            }
            Work::Sweep(left, deleted, tick) => self.sweep(world, left, deleted, tick)?,
            Work::Claim(number, records) => {
                let call = Call::Claim(number);
                let (records, answer) = self.records.run(records, call, world.tick);
                world.records = records;
                self.heard(world, (call, &answer), 0)?;
                Work::None
            }
            Work::None | Work::Write(..) | Work::Stray(..) => work,
        };
        Ok(())
    }

    /// The next step of a reader; none when it is over.
    fn read(
        &mut self,
        world: &mut World,
        (number, part): (Claimant, u8),
        reading: Reading,
    ) -> Result<Option<(u8, Reading)>, Invariant> {
        Ok(match reading {
            Reading::Renews => match self.say(world, Call::Renew(number))? {
                Answer::Until(_) => Some((part, Reading::Finds)),
                _ => None,
            },
            Reading::Finds => match self.say(world, Call::Find(part))? {
                Answer::Found(Some(object)) => Some((part, Reading::Reads(object))),
                _ => None,
            },
            Reading::Reads(object) if !world.whole.has(object) => {
                // Deleted since it was found, so the transfer is gone, or its lease never was.
                let facts = self.facts(world);
                if facts.is_kept && !facts.is_gone {
                    return Err(Invariant::LeaseHolds);
                }
                None
            }
            Reading::Reads(object) => {
                if !world.seen.is_ready || !world.seen.accepted.has(object) {
                    return Err(Invariant::OnlyAcceptedIsServed);
                }
                world.seen.take_bytes(&self.scenario, number)?;
                let next = part + 1;
                (next < self.scenario.parts).then_some((next, Reading::Renews))
            }
        })
    }

    /// The next step of a sweeper.
    fn sweep(
        &mut self,
        world: &mut World,
        mut left: Objects,
        mut deleted: Objects,
        tick: u8,
    ) -> Result<Work, Invariant> {
        let confirms_first = self.fault == Some(Fault::ConfirmsBeforeDelete);
        if confirms_first && deleted.is_empty() {
            self.say(world, Call::Confirm(left, tick))?;
            deleted = left;
        } else if let Some(object) = left.iter().next() {
            world.whole.remove(object);
            world.torn.remove(object);
            left.remove(object);
            deleted.insert(object);
            if confirms_first && left.is_empty() {
                return Ok(Work::None);
            }
        } else {
            let tick = match self.fault {
                Some(Fault::ConfirmsWithLaterTime) => world.tick,
                _ => tick,
            };
            self.say(world, Call::Confirm(deleted, tick))?;
            return Ok(Work::None);
        }
        Ok(Work::Sweep(left, deleted, tick))
    }

    /// What becomes of work that breaks off.
    pub(super) fn drop(world: &mut World, at: usize) {
        let work = &mut world.work[at];
        *work = match *work {
            Work::Write(object, until) => Work::Stray(object, until),
            // Whoever breaks off a reader leaves the end of it to the server, unless that is what died.
            Work::Body(number, _, _, true) => Work::EndOfBody(number),
            Work::Sweep(..) => {
                world.failures_left -= 1;
                Work::None
            }
            _ => Work::None,
        };
    }

    /// The object of a write is whole and durable.
    pub(super) fn land(world: &mut World, at: usize) {
        let (object, next) = match world.work[at] {
            Work::Write(object, _) => (object, Work::Written(object)),
            Work::Stray(object, _) => (object, Work::None),
            _ => return,
        };
        world.whole.insert(object);
        world.torn.remove(object);
        world.work[at] = next;
    }

    /// A write breaks off, and leaves remains.
    pub(super) fn tear(world: &mut World, at: usize) {
        if let Work::Write(object, _) = world.work[at] {
            world.whole.remove(object);
            world.torn.insert(object);
            world.work[at] = Work::None;
        }
    }

    /// An object cannot be deleted: the sweep goes on without it.
    pub(super) fn fail(world: &mut World, at: usize) {
        if let Work::Sweep(left, ..) = &mut world.work[at]
            && let Some(object) = left.iter().next()
        {
            left.remove(object);
            world.failures_left -= 1;
        }
    }
}
