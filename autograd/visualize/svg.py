"""The last touch: from the SVG that Graphviz writes to one that stands on its own anywhere.

It names itself to a screen reader, scales to its column, brings no ids that could meet those of
another picture on the same page, and says of every node and edge, in words and in `data-`
attributes, what it is. Attributes keep the colors, so a viewer without CSS shows the same.
"""

from __future__ import annotations

import hashlib
import xml.etree.ElementTree as ET

from . import style, words
from .model import GraphData

_CLASSES = {"value": "ag-val", "grad": "ag-grad", "local": "ag-local", "ink": "ag-ink"}


def finish(raw: bytes, source: str, data: GraphData, palette: style.Palette, theme: str) -> str:
    """Return the finished SVG of a picture that Graphviz drew as `raw` from the DOT `source`."""
    root = _without_namespaces(ET.fromstring(raw))
    prefix = "ag-" + hashlib.sha256(source.encode()).hexdigest()[:10]
    graph = root.find("g")
    assert graph is not None
    _drop_blanks(graph)
    _join_edges(graph)
    _name_parts(graph, data)
    _lift_frame_titles(graph, palette)
    _classify_text(graph, palette)
    _prefix_ids(root, prefix)
    _introduce(root, data, prefix, theme)
    return ET.tostring(root, encoding="unicode") + "\n"


def _without_namespaces(root: ET.Element) -> ET.Element:
    """Take the namespace off every tag and put it on the root; the DOCTYPE is gone by now."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
    root.set("xmlns", "http://www.w3.org/2000/svg")
    return root


def _drop_blanks(graph: ET.Element) -> None:
    """Drop the texts that only kept a place free in the layout."""
    for group in graph.iter("g"):
        for text in group.findall("text"):
            if not (text.text or "").strip():
                group.remove(text)


def _join_edges(graph: ET.Element) -> None:
    """Make one edge of the three parts of which one with a label was drawn."""
    groups = {group.get("id", ""): group for group in graph.findall("g")}
    for name, middle in groups.items():
        if name.endswith("m") and f"{name[:-1]}a" in groups:
            middle.set("id", name[:-1])
            middle.set("class", "edge")
            for part in (groups[f"{name[:-1]}a"], groups[f"{name[:-1]}b"]):
                middle.extend(child for child in part if child.tag != "title")
                graph.remove(part)


def _name_parts(graph: ET.Element, data: GraphData) -> None:
    """Say of each group what it shows: in its title, and in `data-node` or `data-edge`."""
    nodes = {node.id: node for node in data.nodes}
    edges = {edge.id: edge for edge in data.edges}
    for group in graph.findall("g"):
        name = group.get("id", "")
        title = group.find("title")
        assert title is not None
        if edge := edges.get(name):
            group.set("data-edge", f"{nodes[edge.source].name}>{nodes[edge.target].name}")
            title.text = words.about_edge(edge, nodes)
        elif node := nodes.get(name):
            group.set("data-node", node.name)
            title.text = words.about_node(node)
        elif op := nodes.get(name.removesuffix("p")):
            group.set("data-node", f"{op.name} parameters")
            title.text = f"parameters of {op.name}"
    own_title = graph.find("title")
    if own_title is not None:
        graph.remove(own_title)  # the root has a better one


def _lift_frame_titles(graph: ET.Element, palette: style.Palette) -> None:
    """Draw the titles of frames last, on a ground of their own, so that no edge crosses them."""
    lifted = ET.Element("g")
    for group in graph.findall("g"):
        if group.get("class") == "cluster":
            for text in group.findall("text"):
                group.remove(text)
                text.set("stroke", palette.ground)
                text.set("stroke-width", "4")
                text.set("paint-order", "stroke")
                lifted.append(text)
    if len(lifted):
        graph.append(lifted)


def _classify_text(graph: ET.Element, palette: style.Palette) -> None:
    classes = {getattr(palette, role): name for role, name in _CLASSES.items()}
    for text in graph.iter("text"):
        if name := classes.get(text.get("fill", "")):
            text.set("class", name)


def _prefix_ids(root: ET.Element, prefix: str) -> None:
    for element in root.iter():
        if name := element.get("id"):
            element.set("id", f"{prefix}-{name}")


def _introduce(root: ET.Element, data: GraphData, prefix: str, theme: str) -> None:
    """Give the picture a name, a description and a size in pixels that yields to its column."""
    title, desc, sheet = ET.Element("title"), ET.Element("desc"), ET.Element("style")
    title.set("id", f"{prefix}-title")
    title.text = words.title(data)
    desc.set("id", f"{prefix}-desc")
    desc.text = words.description(data)
    scope = f"#{prefix}"
    sheet.text = f"{scope} path,{scope} polygon{{stroke-linecap:square;stroke-linejoin:round}}"
    if theme == "auto":
        sheet.text += style.dark_mode_css(scope)
    for position, element in enumerate((title, desc, sheet)):
        root.insert(position, element)
    root.set("id", prefix)
    root.set("role", "img")
    root.set("aria-labelledby", f"{prefix}-title {prefix}-desc")
    for side in ("width", "height"):
        points = float(root.get(side, "0pt").removesuffix("pt"))
        root.set(side, f"{points * 4 / 3:.0f}")
    root.set("style", "max-width:100%;height:auto")
