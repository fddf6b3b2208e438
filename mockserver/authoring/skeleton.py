"""A contract to begin with, where the vendor has no OpenAPI file: it passes the check and answers."""

from mockserver.authoring.writing import MODELINE

_TEXT = """\
openapi: 3.1.0
info: {{title: {vendor}, version: "1"}}
servers:
  - {{url: "https://api.{host}.example"}}        # TODO: the vendor's host; its path stands before every path below
security: [{{Key: []}}]
x-mock:
  account:                                # what one customer owns
    api_key: {{new: token, length: 32}}
  gates:                                  # rules of every operation, before its own
    - {{problem: method, answer: method_not_allowed}}
    - {{problem: unauthenticated, answer: unauthorized}}
  rules:                                  # rules of every operation, after its own
    - {{problem: any, answer: invalid}}
  responses:                              # answers of every operation
    "400": {{description: Bad request, x-mock: {{name: invalid, evidence: {{assumed: "TODO: undocumented"}}}}}}
    "401": {{description: Wrong key, x-mock: {{name: unauthorized, evidence: {{assumed: "TODO: undocumented"}}}}}}
    "405": {{description: Method, x-mock: {{name: method_not_allowed, evidence: {{assumed: "TODO: undocumented"}}}}}}
paths:
  /messages:                              # TODO: the path
    post:
      operationId: send_sms
      summary: Send a message
      x-mock:
        message: {{from: {{echo: /body/from}}, text: {{echo: /body/text}}}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              required: [to, text]
              properties:
                from: {{type: string}}
                to: {{type: string, pattern: "^[+][0-9]{{7,15}}$", x-mock: {{recipient: true}}}}
                text: {{type: string, minLength: 1}}
            example: {{from: "+12025550100", to: "+12025550123", text: Hello}}
      responses:
        "202":
          description: Accepted
          content:
            application/json:
              schema: {{type: object, properties: {{id: {{type: string}}, to: {{type: string}}}}}}
              examples:
                sent:                     # the sample, with what `fill` lays over it
                  value: {{id: 0b9f9a3c-5d1e-4c55-9f2b-1f2d3c4b5a69, to: "+12025550123"}}
                  x-mock:
                    evidence: {{assumed: "TODO: the page and section that show this answer"}}
                    fill: {{/body/id: {{new: uuid}}, /body/to: {{echo: /body/to}}}}
components:
  securitySchemes:
    Key: {{type: apiKey, in: header, name: X-Api-Key, x-mock: {{accept: {{equals: /account/api_key}}}}}}
"""


def skeleton(vendor: str) -> str:
    """The text of a vendor's first contract."""
    return MODELINE + _TEXT.format(vendor=vendor, host=vendor.replace("_", "-").lower())
