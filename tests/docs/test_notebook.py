"""What the page on notebooks says also works in a notebook, in a kernel of its own."""

from __future__ import annotations

import pytest
from blocks import ROOT, blocks_of, fresh_folder

nbclient = pytest.importorskip("nbclient", reason="needs nbclient, which the extra dev brings")
nbformat = pytest.importorskip("nbformat", reason="comes with nbclient")
pytest.importorskip("ipykernel", reason="needs ipykernel, which the extra dev brings")

PAGE = ROOT / "docs/how-to/notebook.md"


@pytest.mark.deep
def test_the_page_runs_as_a_notebook() -> None:
    blocks = blocks_of(PAGE.read_text(encoding="utf-8"))
    cells = [block for block in blocks if block.language == "python"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c.text) for c in cells])
    with fresh_folder() as folder:
        for block in blocks:
            if block.title is not None:
                (folder / block.title).write_text(block.text, encoding="utf-8")
        run = nbclient.NotebookClient(
            notebook, timeout=60, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        run.execute()
    printed = [
        "".join(out.text for out in cell.outputs if out.output_type == "stream")
        for cell in notebook.cells
    ]
    shown = [block.text for block in blocks if block.prints]
    assert [text for text in printed if text] == shown
