import asyncio

from reference.client import Client


async def main() -> None:
    async with Client("http://localhost:8000") as client:
        print(await client.link())
        async for conversation in client.conversations():
            async for message in conversation:
                await conversation.say(message.text)


asyncio.run(main())
