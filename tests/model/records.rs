//! The record store of the model: the server's own tables, each distinct content of them once. A step on them is a pure
//! function, so each is run once for each content and tick, and remembered.

use std::collections::HashMap;

use indexmap::IndexSet;
use onetimeshare_server::record::tables::Tables;

use crate::call::{Answer, Call};
use crate::facts::Facts;
use crate::fault::{self, Fault};
use crate::scenario::Scenario;

/// What the record store holds, by its number among all that was ever held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RecordsId(u32);

/// Every content that the record store has had in a search, and what each call makes of it.
#[derive(Debug)]
pub(crate) struct Records {
    scenario: Scenario,
    fault: Option<Fault>,
    contents: IndexSet<Tables>,
    steps: HashMap<(RecordsId, Call, u8), (RecordsId, Answer)>,
    facts: HashMap<(RecordsId, u8), Facts>,
}

impl Records {
    /// None yet.
    pub(crate) fn new(scenario: Scenario, fault: Option<Fault>) -> Self {
        Self {
            scenario,
            fault,
            contents: IndexSet::new(),
            steps: HashMap::new(),
            facts: HashMap::new(),
        }
    }

    /// A store that holds nothing.
    pub(crate) fn empty(&mut self) -> RecordsId {
        self.remember(Tables::default())
    }

    /// How many contents there have been.
    pub(crate) fn count(&self) -> usize {
        self.contents.len()
    }

    /// Runs a step at a tick.
    pub(crate) fn run(&mut self, records: RecordsId, call: Call, tick: u8) -> (RecordsId, Answer) {
        if let Some(remembered) = self.steps.get(&(records, call, tick)) {
            return remembered.clone();
        }
        let mut tables = self.tables(records).clone();
        let at = self.scenario.moment(tick);
        let answer = fault::run(self.fault, &self.scenario, &mut tables, call, at);
        let step = (self.remember(tables), answer);
        self.steps.insert((records, call, tick), step.clone());
        step
    }

    /// What is true of a content at a tick.
    pub(crate) fn facts(&mut self, records: RecordsId, tick: u8) -> Facts {
        if let Some(facts) = self.facts.get(&(records, tick)) {
            return facts.clone();
        }
        let facts = Facts::of(self, records, tick);
        self.facts.insert((records, tick), facts.clone());
        facts
    }

    /// What is explored.
    pub(crate) const fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// What is held.
    pub(crate) fn tables(&self, records: RecordsId) -> &Tables {
        let index = usize::try_from(records.0).expect("a machine of 32 bits or more");
        let tables = self.contents.get_index(index);
        tables.expect("every number was given to a content")
    }

    /// How often it was locked has no end, and nothing depends on it: what differs in that alone is the same content.
    fn remember(&mut self, mut tables: Tables) -> RecordsId {
        tables.totals.stats.locked = 0;
        let (index, _) = self.contents.insert_full(tables);
        RecordsId(u32::try_from(index).expect("fewer contents than memory holds"))
    }
}
