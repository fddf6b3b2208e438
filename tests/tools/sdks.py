"""The official SDKs of one vendor: installed as they are published, called as their users do."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.live import PATIENCE, Live
from tests.tools.installing import execute, virtual_environment

Sdk = list[str | Path]
"""A program that calls one method: give it endpoint, credentials file, the method's name, its arguments as JSON."""

PYTHON = "2.12.0"
PYTHON_PROGRAM = """
import json, sys
import voximplant.apiclient.client as client
from voximplant.apiclient import VoximplantAPI, VoximplantException

post = client.httpx.post
def plain(url, **options):  # the SDK writes https itself
    options.pop("verify", None)
    return post(url.replace("https://", "http://", 1), **options)
client.httpx.post = plain

endpoint, credentials, name, arguments = sys.argv[1:]
method = getattr(VoximplantAPI(credentials, endpoint=endpoint), name)
try:  # what JSON has no type for is shown with its type
    print(json.dumps(method(**json.loads(arguments)), default=lambda value: [type(value).__name__, str(value)]))
except VoximplantException as error:
    print(json.dumps({"raised": [error.code, error.message]}))
"""

NODE = "4.11.0"
NODE_PROGRAM = """
const axios = require('axios');
axios.interceptors.request.use(c => { c.url = c.url.replace(/^https:/, 'http:'); return c; });
const Voximplant = require('@voximplant/apiclient-nodejs').default;
const [host, pathToCredentials, name, parameters] = process.argv.slice(2);
const client = new Voximplant({ pathToCredentials, host });
const [group, method] = name.split('.');
client.onReady = () => client[group][method](JSON.parse(parameters))
  .then(answer => console.log(JSON.stringify(answer)));
"""


PYTHON_SDK = """
import json, os
from voximplant.apiclient import VoximplantAPI

api = VoximplantAPI(os.environ["VOXIMPLANT_CREDENTIALS_JSON_FILE"])
print(json.dumps(api.send_sms_message(os.environ["VOXIMPLANT_NUMBERS_0_NUMBER"], "447443332212", "Hi")))
"""
NODE_SDK = """
const Voximplant = require('@voximplant/apiclient-nodejs').default;
const client = new Voximplant({ pathToCredentials: process.env.VOXIMPLANT_CREDENTIALS_JSON_FILE });
const sms = { source: process.env.VOXIMPLANT_NUMBERS_0_NUMBER, destination: '447443332212', smsBody: 'Hi' };
client.onReady = () => client.SMS.sendSmsMessage(sms).then(answer => console.log(JSON.stringify(answer)));
"""


# What two more of the vendor's SDKs send, which are in none of the registries that tests use: the path of the method,
# a multipart form with Content-Length, and a token for 60 (PHP) or 30 seconds (Go), its ``iss`` a number.
PHP_LIKE = """<?php
$account = json_decode(file_get_contents(getenv('VOXIMPLANT_CREDENTIALS_JSON_FILE')), true);
$encode = fn($text) => rtrim(strtr(base64_encode($text), '+/', '-_'), '=');
$now = time();
$claims = ['iss' => (int) $account['account_id'], 'iat' => $now, 'exp' => $now + 60];
$header = ['typ' => 'JWT', 'alg' => 'RS256', 'kid' => $account['key_id']];
$signed = $encode(json_encode($header)) . '.' . $encode(json_encode($claims));
openssl_sign($signed, $signature, $account['private_key'], OPENSSL_ALGO_SHA256);
$curl = curl_init('https://api.voximplant.com/platform_api/SendSmsMessage');
curl_setopt_array($curl, [
  CURLOPT_RETURNTRANSFER => true,
  CURLOPT_HTTPHEADER => ['Authorization: Bearer ' . $signed . '.' . $encode($signature)],
  CURLOPT_POSTFIELDS => [
    'source' => getenv('VOXIMPLANT_NUMBERS_0_NUMBER'),
    'destination' => '447443332212',
    'sms_body' => 'Hi',
    'store_body' => 'true',
  ],
]);
echo curl_exec($curl) ?: curl_error($curl), "\\n";
"""
GO_LIKE = """package main

import (
	"bytes"; "crypto"; "crypto/rand"; "crypto/rsa"; "crypto/sha256"; "crypto/x509"; "encoding/base64"; "encoding/json"
	"encoding/pem"; "fmt"; "io"; "mime/multipart"; "net/http"; "os"; "time"
)

type account struct {
	Id    int    `json:"account_id"`
	KeyId string `json:"key_id"`
	Key   string `json:"private_key"`
}

func check(err error) {
	if err != nil { fmt.Println(err); os.Exit(0) }
}

func main() {
	var mine account
	file, err := os.ReadFile(os.Getenv("VOXIMPLANT_CREDENTIALS_JSON_FILE"))
	check(err)
	check(json.Unmarshal(file, &mine))
	block, _ := pem.Decode([]byte(mine.Key))
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil { parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes) }
	check(err)
	now := time.Now().Unix()
	header, _ := json.Marshal(map[string]string{"typ": "JWT", "alg": "RS256", "kid": mine.KeyId})
	claims, _ := json.Marshal(map[string]int64{"iss": int64(mine.Id), "iat": now, "exp": now + 30})
	encode := base64.RawURLEncoding.EncodeToString
	signed := encode(header) + "." + encode(claims)
	digest := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, parsed.(*rsa.PrivateKey), crypto.SHA256, digest[:])
	check(err)
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	form.WriteField("source", os.Getenv("VOXIMPLANT_NUMBERS_0_NUMBER"))
	form.WriteField("destination", "447443332212")
	form.WriteField("sms_body", "Hi")
	form.WriteField("store_body", "true")
	form.Close()
	request, _ := http.NewRequest("POST", "https://api.voximplant.com/platform_api/SendSmsMessage", &body)
	request.Header.Set("Content-Type", form.FormDataContentType())
	request.Header.Set("Authorization", "Bearer "+signed+"."+encode(signature))
	answer, err := http.DefaultClient.Do(request)
	check(err)
	said, err := io.ReadAll(answer.Body)
	check(err)
	fmt.Println(string(said))
}
"""


def installed_python_sdk(tools: Path) -> Path:
    """The Python of an environment that has it."""
    return virtual_environment(tools / f"voximplant-python-{PYTHON}", f"voximplant-apiclient=={PYTHON}")


def installed_node_sdk(tools: Path) -> Path:
    """A folder whose programs find it."""
    folder = tools / f"voximplant-node-{NODE}"
    if not (folder / "whole").exists():
        folder.mkdir(exist_ok=True)
        package = f"@voximplant/apiclient-nodejs@{NODE}"
        execute("npm", "install", "--no-audit", "--no-fund", "--prefix", folder, package, cwd=folder)
        (folder / "whole").touch()
    return folder


def python_sdk(tools: Path) -> Sdk:
    """The Python SDK's program."""
    return [installed_python_sdk(tools), "-c", PYTHON_PROGRAM]


def node_sdk(tools: Path) -> Sdk:
    """The Node SDK's program."""
    program = installed_node_sdk(tools) / "sms.js"  # beside node_modules, where it looks for them
    program.write_text(NODE_PROGRAM, "utf-8")
    return ["node", program]


@dataclass(frozen=True)
class Customer:
    """An account of its own, and the file that the vendor would hand it."""

    id: str
    numbers: list[str]
    credentials: Path


def call(sdk: Sdk, server: Live, customer: Customer, method: str, **arguments: Any) -> Any:
    """What an SDK's method gives back."""
    endpoint = f"127.0.0.1:{server.port}"
    sent = json.dumps(arguments)
    return json.loads(execute(*sdk, endpoint, customer.credentials, method, sent, timeout=PATIENCE))


def is_node(sdk: Sdk) -> bool:
    """Whether it is the SDK for Node.js, whose names are in camel case."""
    return sdk[0] == "node"


def send(sdk: Sdk, server: Live, customer: Customer, source: str, text: str) -> Any:
    """What an SDK gives back for a message."""
    sms = {"source": source, "destination": "447443332212"}
    if is_node(sdk):
        return call(sdk, server, customer, "SMS.sendSmsMessage", **sms, smsBody=text, storeBody=True)
    return call(sdk, server, customer, "send_sms_message", **sms, sms_body=text)
