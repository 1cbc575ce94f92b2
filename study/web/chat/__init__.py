"""The pages of a chat: conversations, surveys, a coach, films, and where help can be found."""
