//! The files that only programs of others read, by these programs or their schemas.

use crate::python;

#[test]
fn the_file_for_compose_holds_to_its_schema_and_hardens_every_service() {
    python::run("compose.py");
}

#[test]
fn the_chart_is_rendered_by_helm_and_holds_to_the_schemas_of_kubernetes() {
    python::run("chart.py");
}

#[test]
fn the_workflows_hold_to_their_schemas_and_call_the_entry_points_alone() {
    python::run("workflows.py");
}

#[test]
fn the_recipe_for_images_is_without_fault() {
    python::run("image.py");
}
