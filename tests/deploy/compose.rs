//! `compose.yaml` and the workflows, by the schemas of those who read them.

use crate::python;

#[test]
fn the_file_for_compose_holds_to_its_schema_and_hardens_every_service() {
    python::run("compose.py");
}
