"""Definitions and runs as graphs: one model of phases and what they wait for, written as DOT or Mermaid.

Nothing here draws: the text of a graph needs no library, and `cli.pictures` makes pictures of it.
"""

from __future__ import annotations

from definitions.graphs.dot import dot
from definitions.graphs.mermaid import mermaid
from definitions.graphs.model import Graph, Group, Link, Node, graph_of_checked, graph_of_plan

__all__ = ["Graph", "Group", "Link", "Node", "dot", "graph_of_checked", "graph_of_plan", "mermaid"]
