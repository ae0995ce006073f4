"""Pictures of graphs: SVG, PNG and what a terminal shows. Needs the extra `graph`; imported by what draws only."""
