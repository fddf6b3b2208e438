"""A vendor's OpenAPI file as it might be published: 3.0, names in another style, no word of ours."""

RAW = """
openapi: 3.0.1
info: {title: Acme, version: "1"}
servers: [{url: "https://api.acme.example/v1"}]
paths:
  /messages:
    post:
      operationId: Send-Message
      requestBody:
        content:
          application/json:
            schema:
              type: object
              required: [to]
              properties: {to: {type: string}, text: {type: string, nullable: true}}
      responses:
        "201":
          description: Ok
          content: {application/json: {schema: {type: object, properties: {id: {type: string}}}, example: {id: abc}}}
        "400":
          description: Bad
          content: {application/json: {schema: {type: object, properties: {error: {type: string}}}}}
"""
