"""Java's options: each is one word to Java, and none that was there before counts for more."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from mockserver.testing.java_options import DIRECT, OF_ALL, STRONGER, java_variables, joined, proxied, trusting

ODD = ["a b", "it's", "it's mine", 'a "b"', """it's "mine" """, "a\tb"]


@pytest.mark.parametrize("name", ["plain", *ODD])
def test_words(name: str) -> None:
    """An odd path stays one word; Java has a shell's quotes."""
    assert shlex.split(joined(["-Da=1", f"-Db=/{name}"])) == ["-Da=1", f"-Db=/{name}"]


def test_what_counts_for_more() -> None:
    """The options are behind those that are there, in each variable that is set, and in the one that all read."""
    before = {STRONGER[0]: "-Dhttps.proxyHost=elsewhere", STRONGER[1]: ""}
    found = java_variables(before, proxied("127.0.0.1", 8080))
    assert found.keys() == {OF_ALL, STRONGER[0]}
    assert found[STRONGER[0]] == f"-Dhttps.proxyHost=elsewhere {found[OF_ALL]}"
    assert "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=8080 -D" in found[OF_ALL]


SHOW = """
public class Show {
    public static void main(String[] names) throws Exception {
        for (String name : names) System.out.println(System.getProperty(name));
        System.out.println(java.net.ProxySelector.getDefault().select(new java.net.URI("https://a.example/")));
    }
}
"""


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not here")
@pytest.mark.parametrize("name", ODD[:3])
def test_java_reads_them(tmp_path: Path, name: str) -> None:
    """The store is where it is, and no proxy is left, whichever variable had named one."""
    (tmp_path / "Show.java").write_text(SHOW)
    elsewhere = dict.fromkeys([OF_ALL, *STRONGER], "-Dhttps.proxyHost=127.0.0.1 -Dhttps.proxyPort=9")
    options = [*trusting(tmp_path / name), *DIRECT]
    command = ["java", str(tmp_path / "Show.java"), "javax.net.ssl.trustStore"]
    environment = {"PATH": "/usr/bin:/bin", **java_variables(elsewhere, options)}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ended.stdout == f"{tmp_path / name}\n[DIRECT]\n", ended.stderr
