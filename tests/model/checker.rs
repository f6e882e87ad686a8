//! Breadth-first search through every state that a model can reach. It compares whole states, never fingerprints, so that
//! none is missed, and the first path to a fault that it finds is a shortest one.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, Instant};

use indexmap::IndexMap;

/// Something that moves from state to state.
pub(crate) trait Model {
    /// Where it stands.
    type State: Clone + Eq + Hash;
    /// What may happen next.
    type Action: Copy + Debug;
    /// What a state or a move breaks.
    type Fault: Copy + Eq + Debug;

    /// Where it begins.
    fn start(&mut self) -> Self::State;

    /// Everything that may happen in `state`.
    fn actions(&mut self, state: &Self::State) -> Vec<Self::Action>;

    /// Where `action` leads from `state`.
    fn next(
        &mut self,
        state: &Self::State,
        action: Self::Action,
    ) -> Result<Self::State, Self::Fault>;

    /// What a state breaks, of what must hold in every state.
    fn faults(&mut self, state: &Self::State) -> Vec<Self::Fault>;

    /// What it breaks besides when nothing leads out of it.
    fn faults_at_the_end(&mut self, state: &Self::State) -> Vec<Self::Fault>;
}

/// What a search has come to.
#[derive(Debug)]
pub(crate) struct Report<M: Model> {
    /// How many states were reached.
    pub(crate) states: usize,
    /// How many moves were tried.
    pub(crate) moves: usize,
    /// The longest of the shortest paths to a state.
    pub(crate) depth: usize,
    /// How long it took.
    pub(crate) took: Duration,
    /// The first fault, and the shortest path to it.
    pub(crate) fault: Option<(M::Fault, Vec<M::Action>)>,
}

/// How a state was reached first.
struct Origin<A> {
    from: usize,
    action: Option<A>,
    depth: usize,
}

/// Every state that was reached, in the order in which it was: the states not yet looked at are the end of it.
type Reached<M> = IndexMap<<M as Model>::State, Origin<<M as Model>::Action>>;

/// Searches until everything was seen, or until a fault is found that `is_sought`. A move that makes another fault leads
/// nowhere.
#[expect(
    clippy::disallowed_methods,
    reason = "how long it took is printed, and decides nothing"
)]
pub(crate) fn search<M: Model>(model: &mut M, is_sought: impl Fn(&M::Fault) -> bool) -> Report<M> {
    let began = Instant::now();
    let mut reached = Reached::<M>::new();
    let origin = Origin {
        from: 0,
        action: None,
        depth: 0,
    };
    reached.insert(model.start(), origin);
    let (mut looked_at, mut moves, mut fault) = (0, 0, None);
    while fault.is_none()
        && let Some((state, _)) = reached.get_index(looked_at)
    {
        let state = state.clone();
        fault = look_at(
            model,
            &mut reached,
            (looked_at, &state),
            &is_sought,
            &mut moves,
        );
        looked_at += 1;
    }
    Report {
        states: reached.len(),
        moves,
        depth: reached.last().map_or(0, |(_, origin)| origin.depth),
        took: began.elapsed(),
        fault,
    }
}

/// Checks a state and adds the new ones that it leads to. The fault that is sought and the path to it, if there is one.
fn look_at<M: Model>(
    model: &mut M,
    reached: &mut Reached<M>,
    (at, state): (usize, &M::State),
    is_sought: &impl Fn(&M::Fault) -> bool,
    moves: &mut usize,
) -> Option<(M::Fault, Vec<M::Action>)> {
    if let Some(fault) = model.faults(state).into_iter().find(is_sought) {
        return Some((fault, path(reached, at)));
    }
    let depth = reached.get_index(at).map_or(0, |(_, origin)| origin.depth) + 1;
    let mut is_end = true;
    for action in model.actions(state) {
        *moves += 1;
        match model.next(state, action) {
            Ok(next) => {
                is_end &= next == *state;
                reached.entry(next).or_insert(Origin {
                    from: at,
                    action: Some(action),
                    depth,
                });
            }
            Err(fault) if is_sought(&fault) => {
                let mut path = path(reached, at);
                path.push(action);
                return Some((fault, path));
            }
            Err(_) => is_end = false,
        }
    }
    if !is_end {
        return None;
    }
    let fault = model.faults_at_the_end(state).into_iter().find(is_sought)?;
    Some((fault, path(reached, at)))
}

/// The actions that led to the state at this place.
fn path<S, A: Copy>(reached: &IndexMap<S, Origin<A>>, mut at: usize) -> Vec<A> {
    let mut path = Vec::new();
    while let Some((_, origin)) = reached.get_index(at)
        && let Some(action) = origin.action
    {
        path.push(action);
        at = origin.from;
    }
    path.reverse();
    path
}
