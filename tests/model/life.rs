//! The life of a transfer as a model: what servers and people may do in a state of the world, and what becomes of it.
//!
//! People say anything at any time and as often as they like. So a request that is lost, repeated, late or overtaken is one
//! of the orders that are tried, and an answer that is lost is one that nobody acts on.

use onetimeshare_server::transfer::Refusal;

use crate::call::{Answer, Call, Claimant, STRANGER};
use crate::checker::Model;
use crate::facts::Facts;
use crate::fault::Fault;
use crate::invariant::Invariant;
use crate::object::{Object, Objects, TRIES_MAX};
use crate::records::Records;
use crate::scenario::Scenario;
use crate::seen::SeenClaim;
use crate::world::{Reading, WORK_MAX, Work, World};

/// Something that may happen.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    /// Time goes on.
    Tick,
    /// Somebody makes a call.
    Say(Call),
    /// A sender begins to write a part.
    BeginPart(u8),
    /// The object that this work writes is whole and durable.
    Land(usize),
    /// The writing of an object breaks off, and leaves remains.
    Tear(usize),
    /// This work takes its next step.
    Go(usize),
    /// The process of this work dies, or the connection that it serves breaks.
    Drop(usize),
    /// The object that this sweep comes to cannot be deleted.
    Fail(usize),
    /// What is not durable becomes so: only a planted bug leaves it for later.
    Flush,
    /// What is not durable is lost.
    LosePower,
    /// Every object that no record names is deleted: only a planted bug does that.
    DeleteUnnamed,
}

/// The model.
#[derive(Debug)]
pub(crate) struct Life {
    scenario: Scenario,
    fault: Option<Fault>,
    records: Records,
}

type Moved = Result<(), Invariant>;

impl Life {
    /// Of this scenario, with this bug.
    pub(crate) fn new(scenario: Scenario, fault: Option<Fault>) -> Self {
        Self {
            scenario,
            fault,
            records: Records::new(scenario, fault),
        }
    }

    /// How many contents the record store has had.
    pub(crate) fn records(&self) -> usize {
        self.records.count()
    }

    fn facts(&mut self, world: &World) -> Facts {
        self.records.facts(world.records, world.tick)
    }

    /// Makes a call, and keeps what everybody learns from it.
    fn say(&mut self, world: &mut World, call: Call) -> Result<Answer, Invariant> {
        let leases = self.facts(world).lease_count;
        let (records, answer) = self.records.run(world.records, call, world.tick);
        world.records = records;
        self.heard(world, (call, &answer), leases)?;
        Ok(answer)
    }

    fn heard(
        &mut self,
        world: &mut World,
        (call, answer): (Call, &Answer),
        leases: usize,
    ) -> Moved {
        if self.fault != Some(Fault::AnswersBeforeDurable) {
            world.durable = world.records;
        }
        let was_live = |claim: &SeenClaim| world.seen.is_live(claim, world.tick);
        let is_repeat = match call {
            Call::Claim(number) => world
                .seen
                .claims
                .get(usize::from(number))
                .is_some_and(was_live),
            _ => false,
        };
        world.seen.hear(&self.scenario, call, answer, world.tick)?;
        let facts = self.facts(world);
        world.seen.read(&self.scenario, &facts)?;
        if is_repeat && facts.lease_count != leases {
            return Err(Invariant::LeaseHolds);
        }
        Ok(())
    }

    /// What people may say.
    fn calls(&mut self, world: &World) -> Vec<Call> {
        let facts = self.facts(world);
        let scenario = &self.scenario;
        // A create request that comes again after the tombstone has ended makes a new transfer: so long nothing is under way.
        if world.seen.is_created && !facts.is_kept {
            return Vec::new();
        }
        let mut calls = vec![Call::Create, Call::Complete];
        if scenario.is_burnt {
            calls.push(Call::Burn);
        }
        if scenario.has_guesser {
            calls.push(Call::Unlock);
            // All but one at once, and then the last.
            calls.push(Call::Guess(match facts.attempts_left {
                0 | 1 => 1,
                attempts_left => u8::try_from(attempts_left - 1).expect("there are five"),
            }));
        }
        for number in 0..scenario.claimants {
            calls.extend([Call::Claim(number), Call::Deliver(number)]);
            if scenario.readers > 0 {
                calls.extend([Call::Fetch(number), Call::Renew(number)]);
            }
        }
        calls
    }

    /// What sweepers may begin.
    fn sweeps(&self, world: &World) -> impl Iterator<Item = Action> + use<> {
        let sweeping = world.count(|work| matches!(work, Work::Sweep(..)));
        let can_take = sweeping < self.scenario.sweepers;
        let take = can_take.then_some(Action::Say(Call::Take));
        [Some(Action::Say(Call::Sweep)), take].into_iter().flatten()
    }

    /// What parts may be begun.
    fn begins(&self, world: &World) -> impl Iterator<Item = Action> + use<> {
        let writing = world.count(|work| matches!(work, Work::Write(..) | Work::Written(_)));
        let tried: u8 = world.tries.iter().sum();
        let can_begin = writing < self.scenario.writers && tried < self.scenario.tries;
        let tries = world.tries;
        (0..self.scenario.parts)
            .filter(move |part| can_begin && tries[usize::from(*part)] < TRIES_MAX)
            .map(Action::BeginPart)
    }

    /// What may happen to the work in this place.
    fn ways(&self, world: &World, at: usize, work: Work) -> Vec<Action> {
        let can_fail = world.failures_left > 0;
        match work {
            Work::None => vec![],
            Work::Write(..) => vec![Action::Land(at), Action::Tear(at), Action::Drop(at)],
            Work::Stray(..) => vec![Action::Land(at)],
            Work::Written(_) | Work::Body(..) | Work::EndOfBody(_) | Work::Claim(..) => {
                vec![Action::Go(at), Action::Drop(at)]
            }
            Work::Sweep(left, ..) if left.is_empty() && can_fail => {
                vec![Action::Go(at), Action::Drop(at)]
            }
            Work::Sweep(..) if can_fail => {
                vec![Action::Go(at), Action::Drop(at), Action::Fail(at)]
            }
            Work::Sweep(..) => vec![Action::Go(at)],
        }
    }

    fn tick(world: &mut World) {
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
    fn answer(&mut self, world: &mut World, call: Call) -> Moved {
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

    fn begin_part(&mut self, world: &mut World, part: u8) -> Moved {
        let tries = &mut world.tries[usize::from(part)];
        let attempt = if self.fault == Some(Fault::SharesObjects) {
            0
        } else {
            *tries
        };
        let object = Object::new(part, attempt);
        let next = *tries + 1;
        if self.say(world, Call::Begin(object))? == Answer::Begun(true) {
            world.tries[usize::from(part)] = next;
            // Its deadline begins when the server hears the answer, which is less than another one away.
            let until = world.tick + 2 * self.scenario.ticks.part_deadline;
            world.begin(Work::Write(object, until));
        }
        Ok(())
    }

    /// The next step of the work in this place.
    fn go(&mut self, world: &mut World, at: usize) -> Moved {
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
    fn drop(world: &mut World, at: usize) {
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

    fn land(world: &mut World, at: usize) {
        let (object, next) = match world.work[at] {
            Work::Write(object, _) => (object, Work::Written(object)),
            Work::Stray(object, _) => (object, Work::None),
            _ => return,
        };
        world.whole.insert(object);
        world.torn.remove(object);
        world.work[at] = next;
    }

    fn tear(world: &mut World, at: usize) {
        if let Work::Write(object, _) = world.work[at] {
            world.whole.remove(object);
            world.torn.insert(object);
            world.work[at] = Work::None;
        }
    }

    fn fail(world: &mut World, at: usize) {
        if let Work::Sweep(left, ..) = &mut world.work[at]
            && let Some(object) = left.iter().next()
        {
            left.remove(object);
            world.failures_left -= 1;
        }
    }

    /// Whether all the objects of the body are there and named; of an inline body there are none.
    fn has_body(&self, world: &World, facts: &Facts) -> bool {
        let named = facts.parts.iter().count();
        named == usize::from(self.scenario.parts) && world.whole.has_all(facts.parts)
    }

    /// Whether what was told to be ready can still be claimed by somebody new, if it was promised.
    fn keeps_ready(&mut self, world: &World, facts: &Facts) -> bool {
        let seen = &world.seen;
        let is_promised = seen.is_ready
            && !seen.is_burnt
            && world.tick < seen.expires
            && seen.granted() < self.scenario.claims_max;
        if !is_promised {
            return true;
        }
        let stranger = Call::Claim(STRANGER);
        let is_granted = match self.records.run(world.records, stranger, world.tick).1 {
            Answer::Granted { has_body, .. } => has_body == self.scenario.is_inline(),
            Answer::Refused(Refusal::Locked) => facts.attempts_left == 0,
            _ => false,
        };
        is_granted && self.has_body(world, facts)
    }

    /// Whether every live lease gives what it promised.
    fn keeps_leases(&mut self, world: &World, facts: &Facts) -> bool {
        let claims = (0..).zip(world.seen.claims);
        let live = claims.filter(|(_, claim)| world.seen.is_live(claim, world.tick));
        self.scenario.is_once()
            || live.into_iter().all(|(number, claim)| {
                self.keeps_lease(world, number, claim.until) && self.has_body(world, facts)
            })
    }

    /// Whether a claim that is repeated gives the same lease, and the lease a fetch.
    fn keeps_lease(&mut self, world: &World, number: Claimant, until: u8) -> bool {
        let mut answer = |call| self.records.run(world.records, call, world.tick).1;
        let repeated = answer(Call::Claim(number));
        let fetched = answer(Call::Fetch(number));
        let is_inline = self.scenario.is_inline();
        let is_same = match repeated {
            Answer::Granted {
                until: at,
                has_body,
            } => has_body == is_inline && self.scenario.tick(at) >= until,
            _ => false,
        };
        is_same && matches!(fetched, Answer::Fetched { has_body, .. } if has_body == is_inline)
    }
}

impl Model for Life {
    type State = World;
    type Action = Action;
    type Fault = Invariant;

    fn start(&mut self) -> World {
        let mut world = World::new(self.records.empty(), self.scenario.failures);
        if self.scenario.begins_ready {
            let create = [Action::Say(Call::Create)];
            // A part at a time: what is under way stands in the last place.
            let write = |part| {
                let last = WORK_MAX - 1;
                [
                    Action::BeginPart(part),
                    Action::Land(last),
                    Action::Go(last),
                ]
            };
            let parts = (0..self.scenario.parts).flat_map(write);
            let complete = [Action::Say(Call::Complete)];
            for action in create.into_iter().chain(parts).chain(complete) {
                let next = self.next(&world, action);
                world = next.expect("nothing has gone wrong yet");
            }
        }
        world
    }

    fn actions(&mut self, world: &World) -> Vec<Action> {
        let mut actions = Vec::new();
        let is_writing = |work: &Work| matches!(work, Work::Write(..) | Work::Stray(..));
        if self.facts(world).has_future || world.count(is_writing) > 0 {
            actions.push(Action::Tick);
        }
        // Where there is no room for more work, what is under way goes on first.
        if world.count(|work| *work == Work::None) > 0 {
            actions.extend(self.calls(world).into_iter().map(Action::Say));
            actions.extend(self.begins(world));
            actions.extend(self.sweeps(world));
        }
        for at in 0..WORK_MAX {
            actions.extend(self.ways(world, at, world.work[at]));
        }
        if world.durable != world.records {
            actions.extend([Action::Flush, Action::LosePower]);
        }
        if self.fault == Some(Fault::DeletesWhatNobodyNames) {
            actions.push(Action::DeleteUnnamed);
        }
        actions
    }

    fn next(&mut self, world: &World, action: Action) -> Result<World, Invariant> {
        let mut world = *world;
        match action {
            Action::Tick => Self::tick(&mut world),
            Action::Say(call) => self.answer(&mut world, call)?,
            Action::BeginPart(part) => self.begin_part(&mut world, part)?,
            Action::Land(at) => Self::land(&mut world, at),
            Action::Tear(at) => Self::tear(&mut world, at),
            Action::Go(at) => self.go(&mut world, at)?,
            Action::Drop(at) => Self::drop(&mut world, at),
            Action::Fail(at) => Self::fail(&mut world, at),
            Action::Flush => world.durable = world.records,
            Action::LosePower => {
                world.records = world.durable;
                world.work = [Work::None; WORK_MAX];
            }
            Action::DeleteUnnamed => {
                let named = self.facts(&world).parts;
                world.whole = world.whole.iter().filter(|it| named.has(*it)).collect();
            }
        }
        world.tidy();
        Ok(world)
    }

    fn faults(&mut self, world: &World) -> Vec<Invariant> {
        let facts = self.facts(world);
        let mut broken = facts.broken.clone();
        let seen = &world.seen;
        let is_alive = facts.is_kept && !facts.is_gone;
        if seen.granted() > self.scenario.claims_max {
            broken.push(Invariant::AtMostClaimsMax);
        }
        if seen.is_over && is_alive {
            broken.push(Invariant::GoneIsSilent);
        }
        let accepted = seen.accepted;
        if is_alive && !(facts.parts.has_all(accepted) && world.whole.has_all(accepted)) {
            broken.push(Invariant::AcceptedIsKept);
        }
        if !self.keeps_ready(world, &facts) {
            broken.push(Invariant::ReadyIsKept);
        }
        if !self.keeps_leases(world, &facts) {
            broken.push(Invariant::LeaseHolds);
        }
        broken
    }

    fn faults_at_the_end(&mut self, world: &World) -> Vec<Invariant> {
        let is_clean = world.whole.is_empty() && world.torn.is_empty();
        if is_clean && self.facts(world).is_empty {
            return vec![];
        }
        vec![Invariant::NothingIsLeft]
    }
}
