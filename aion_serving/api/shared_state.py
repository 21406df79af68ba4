"""What the routes share: the assistant of the application."""

from typing import Annotated

from fastapi import Depends, Request

from aion_serving.answering.assistant import Assistant


def assistant_of(request: Request) -> Assistant:
    assistant: Assistant = request.app.state.assistant
    return assistant


CurrentAssistant = Annotated[Assistant, Depends(assistant_of)]
