"""HTTP clients of many languages, as programs that know nothing but the vendors' own URLs: which reach a server how.

``clients.json`` keeps what came of it when they were last tried; a guide has its table from there.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.evidence import ROOT
from tests.tools.installing import execute
from tests.tools.sdks import GO_LIKE, NODE_SDK, PHP_LIKE, PYTHON_SDK, installed_node_sdk, installed_python_sdk

RECORD = Path(__file__).with_name("clients.json")
WAYS = {"variables": (), "isolation": ("--isolation", "require")}
URLS = [
    "https://api.voximplant.com/platform_api/SendSmsMessage",
    "https://platform.kore.ai/api/public/bot/x/outboundsms",
    "https://cx.avaamo.com/sms/x/send.json",
    "https://api.us-1.platform.polyai.app/v1/outbound-sms",
    "https://api.opentact.org/sms/o",
]
"""One for each vendor. Each answers a GET by a refusal of its own."""

REACHED = "{url} {status}"
"""What a program prints for each URL."""

PYTHON = {
    "requests": "import requests\ndef ask(url): return requests.get(url, timeout=20).status_code",
    "httpx": "import httpx\ndef ask(url): return httpx.get(url, timeout=20).status_code",
    "httpx2": "import httpx2\ndef ask(url): return httpx2.get(url, timeout=20).status_code",
    "urllib3": """
import urllib3
pool = urllib3.PoolManager()
def ask(url): return pool.request("GET", url, timeout=20).status""",
    "aiohttp": """
import asyncio, aiohttp
async def one(url):
    connector = aiohttp.TCPConnector(resolver=aiohttp.ThreadedResolver())
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
        return answer.status
def ask(url): return asyncio.run(one(url))""",
    "aiohttp with aiodns": """
import asyncio, aiohttp
async def one(url):
    connector = aiohttp.TCPConnector(resolver=aiohttp.AsyncResolver())
    async with aiohttp.ClientSession(connector=connector) as session, session.get(url) as answer:
        return answer.status
def ask(url): return asyncio.run(one(url))""",
    "http.client": """
import http.client, urllib.parse
def ask(url):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=20)
    connection.request("GET", parts.path)
    return connection.getresponse().status""",
    "http.client under gevent": """
from gevent import monkey
monkey.patch_all()
import http.client, urllib.parse
def ask(url):
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPSConnection(parts.netloc, timeout=20)
    connection.request("GET", parts.path)
    return connection.getresponse().status""",
    "urllib.request": """
import urllib.request, urllib.error
def ask(url):
    try:
        return urllib.request.urlopen(url, timeout=20).status
    except urllib.error.HTTPError as error:
        return error.code""",
}
PYTHON_END = """
import sys
for url in sys.argv[1:]:
    try:
        print(url, ask(url))
    except Exception as error:
        print(url, repr(error))
"""

NODE = {
    "fetch": "const ask = async (url) => (await fetch(url)).status;",
    "https": """const https = require('https');
const ask = (url) => new Promise((done, fail) => {
  https.get(url, (answer) => { answer.resume(); done(answer.statusCode); }).on('error', fail);
});""",
    "axios": """const axios = require('axios');
const ask = async (url) => (await axios.get(url, { validateStatus: () => true })).status;""",
    "got": """const ask = async (url) => {
  const { got } = await import('got');
  return (await got(url, { throwHttpErrors: false, retry: { limit: 0 } })).statusCode;
};""",
    "superagent": """const superagent = require('superagent');
const ask = async (url) => (await superagent.get(url).ok(() => true)).status;""",
}
NODE_END = """
(async () => {
  for (const url of process.argv.slice(2)) {
    try { console.log(url, await ask(url)); } catch (error) { console.log(url, String(error.cause || error)); }
  }
})();
"""
NODE_PACKAGES = ("axios@1", "got@14", "superagent@10")

JAVA = {
    "HttpClient": """
    static int ask(String url) throws Exception {
        var request = java.net.http.HttpRequest.newBuilder(java.net.URI.create(url)).build();
        var nowhere = java.net.http.HttpResponse.BodyHandlers.discarding();
        return java.net.http.HttpClient.newHttpClient().send(request, nowhere).statusCode();
    }""",
    "HttpURLConnection": """
    static int ask(String url) throws Exception {
        return ((java.net.HttpURLConnection) new java.net.URL(url).openConnection()).getResponseCode();
    }""",
}
JAVA_PROGRAM = """public class Program {
%s
    public static void main(String[] urls) {
        for (String url : urls) {
            try {
                System.out.println(url + " " + ask(url));
            } catch (Exception error) {
                System.out.println(url + " " + error);
            }
        }
    }
}
"""

GO = """package main

import ("fmt"; "net/http"; "os")

func main() {
	for _, url := range os.Args[1:] {
		answer, err := http.Get(url)
		if err != nil { fmt.Println(url, err) } else { fmt.Println(url, answer.StatusCode) }
	}
}
"""

PHP = {
    "curl": """function ask($url) {
  $curl = curl_init($url);
  curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
  curl_exec($curl);
  return curl_getinfo($curl, CURLINFO_HTTP_CODE) ?: curl_error($curl);
}""",
    "streams": """function ask($url) {
  $context = stream_context_create(['http' => ['ignore_errors' => true]]);
  $body = @file_get_contents($url, false, $context);
  return $body === false ? error_get_last()['message'] : explode(' ', $http_response_header[0])[1];
}""",
}
PHP_END = "\nforeach (array_slice($argv, 1) as $url) echo $url, ' ', ask($url), \"\\n\";"

RUBY = """require 'net/http'
ARGV.each do |url|
  puts "#{url} #{Net::HTTP.get_response(URI(url)).code}"
rescue => error
  puts "#{url} #{error}"
end
"""

CURL = 'for url; do echo "$url $(curl -sS -m 20 -o /dev/null -w "%{http_code}" "$url" 2>&1)"; done'
WGET = """for url; do
  said=$(wget -T 20 -t 1 -O /dev/null --server-response "$url" 2>&1)
  echo "$url $(echo "$said" | sed -n 's/^ *HTTP[^ ]* *\\([0-9]*\\).*/\\1/p' | tail -1)"
done"""


@dataclass(frozen=True)
class Client:
    """A client by its language and name, and the command to which the URLs are added."""

    language: str
    name: str
    command: tuple[str, ...]

    @property
    def title(self) -> str:
        return f"{self.language}: {self.name}"


def clients(tools: Path) -> list[Client]:
    """All of them, their programs written and built below a folder."""
    folder = tools / "clients"
    folder.mkdir(exist_ok=True)
    return [*_scripts(folder), *_node(folder), *_java(folder), _go(folder), *_sdks(tools, folder)]


def _written(file: Path, text: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists() or file.read_text("utf-8") != text:
        file.write_text(text, "utf-8")
    return str(file)


def _scripts(folder: Path) -> list[Client]:
    found = [
        Client("Python", name, (sys.executable, _written(folder / f"python-{name}" / "program.py", text + PYTHON_END)))
        for name, text in PYTHON.items()
    ]
    found += [
        Client("PHP", name, ("php", _written(folder / f"{name}.php", f"<?php\n{text}{PHP_END}")))
        for name, text in PHP.items()
    ]
    found.append(Client("Ruby", "Net::HTTP", ("ruby", _written(folder / "program.rb", RUBY))))
    return [
        *found,
        Client("Shell", "curl", ("sh", "-c", CURL, "sh")),
        Client("Shell", "wget", ("sh", "-c", WGET, "sh")),
    ]


def _node(folder: Path) -> list[Client]:
    home = folder / "node"
    home.mkdir(exist_ok=True)
    if not (home / "whole").exists():
        execute("npm", "install", "--no-audit", "--no-fund", "--prefix", home, *NODE_PACKAGES, cwd=home)
        (home / "whole").touch()
    return [
        Client("Node", name, ("node", _written(home / f"{name}.cjs", text + NODE_END))) for name, text in NODE.items()
    ]


def _java(folder: Path) -> list[Client]:
    found = []
    for name, text in JAVA.items():
        source = _written(folder / f"java-{name}" / "Program.java", JAVA_PROGRAM % text)
        execute("javac", source)
        found.append(Client("Java", name, ("java", "-cp", str(Path(source).parent), "Program")))
    return found


def _go(folder: Path) -> Client:
    return Client("Go", "net/http", (_built_go(folder / "go", GO),))


def _built_go(folder: Path, text: str) -> str:
    """The program that a source is built to, once."""
    source, program = _written(folder / "program.go", text), folder / "program"
    if not program.exists():
        execute("go", "build", "-o", program, source, cwd=folder)
    return str(program)


def _sdks(tools: Path, folder: Path) -> list[Client]:
    """The official SDKs, unchanged, at the address that is written in them; programs that send what two others do."""
    python = str(installed_python_sdk(tools))
    node = installed_node_sdk(tools) / "unchanged.cjs"
    return [
        Client("Python", "Voximplant's SDK", (python, _written(folder / "python-sdk" / "program.py", PYTHON_SDK))),
        Client("Node", "Voximplant's SDK", ("node", _written(node, NODE_SDK))),
        Client("PHP", "what Voximplant's SDK sends", ("php", _written(folder / "sdk-like.php", PHP_LIKE))),
        Client("Go", "what Voximplant's SDK sends", (_built_go(folder / "go-sdk-like", GO_LIKE),)),
    ]


DRIVER = """
import json, subprocess, sys
commands, urls = json.load(open(sys.argv[1]))
said = {}
for title, command in commands.items():
    try:
        ended = subprocess.run([*command, *urls], capture_output=True, text=True, timeout=120)
        said[title] = ended.stdout + ended.stderr
    except subprocess.TimeoutExpired:
        said[title] = "took too long"
json.dump(said, open(sys.argv[2], "w"))
"""


def tried(found: list[Client], way: str, folder: Path) -> dict[str, str]:
    """What each client says when all URLs are asked, in one run; nothing but PATH and HOME is set before it."""
    commands, answers = folder / "commands.json", folder / "answers.json"
    commands.write_text(json.dumps([{client.title: client.command for client in found}, URLS]), "utf-8")
    run = [sys.executable, "-m", "mockserver", "run", *WAYS[way], "--"]
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    subprocess.run(
        [*run, sys.executable, "-I", "-c", DRIVER, str(commands), str(answers)],
        env={**environment, "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=1800,
    )
    said: dict[str, str] = json.loads(answers.read_text("utf-8"))
    return said


def has_reached(client: Client, said: str) -> bool:
    """Whether each vendor answered; an SDK knows one alone, and prints what it was told."""
    if "SDK" in client.name:
        return '"result": 1' in said or '"result":1' in said
    lines = [line.split(" ") for line in said.splitlines()]
    statuses = {words[0]: words[1] for words in lines if len(words) == 2 and words[1].isdigit()}
    return all(statuses.get(url, "0") not in {"0", "502"} for url in URLS)


def record(results: dict[str, dict[str, bool]]) -> str:
    return json.dumps(results, indent=1) + "\n"


def table() -> str:
    """The guide's table, of what was tried last."""
    results: dict[str, dict[str, Any]] = json.loads(RECORD.read_text("utf-8"))
    lines = ["| client | `run` | `run --isolation require` |", "| --- | --- | --- |"]
    words = {True: "reaches", False: "does not"}
    lines += [f"| {title} | {words[way['variables']]} | {words[way['isolation']]} |" for title, way in results.items()]
    return "\n".join(lines)
