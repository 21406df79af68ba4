"""What the routes share: the assistant of the application. Asynchronous, as it needs no thread to be waited for."""

from typing import Annotated

from fastapi import Depends, Request

from aion_serving.answering.assistant import Assistant
from aion_serving.answering.generations import Generations


async def assistant_of(request: Request) -> Assistant:
    assistant: Assistant = request.app.state.assistant
    return assistant


async def _generations_of(request: Request) -> Generations:
    generations: Generations = request.app.state.generations
    return generations


CurrentGenerations = Annotated[Generations, Depends(_generations_of)]
CurrentAssistant = Annotated[Assistant, Depends(assistant_of)]
