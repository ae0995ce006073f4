"""The format of definitions as Pydantic models. The models hold what one value must be; `checks` holds the rest."""
