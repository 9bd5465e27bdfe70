"""Write the maintainers' lists, out of the installed packages (extra `demo`), beside this file."""

from pathlib import Path

from aboveboard.commands.demo_lists import read_lists

folder = Path(__file__).with_name("lists")
folder.mkdir(exist_ok=True)
for party, domains in read_lists().items():
    (folder / f"{party}.txt").write_text("\n".join(domains) + "\n", encoding="utf-8")
    print(f"{party}: {len(domains):,} domains")
