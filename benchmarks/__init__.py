"""What mockserver costs, beside bare uvicorn, bare Starlette and other mock servers."""
