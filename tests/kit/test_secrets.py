"""tests/kit: secrets are named by reference, and no error shows one."""

import pytest

from kit.secrets import SecretError, resolve


@pytest.mark.parametrize("pasted", ["hunter2", "env:", "file:", "https://user:hunter2@host", "hunter2:x"])
def test_a_secret_that_stands_where_its_reference_belongs_is_not_repeated(pasted: str) -> None:
    """The error says what to write instead, and nothing of the text, which may be the secret itself."""
    with pytest.raises(SecretError, match="write env:NAME") as error:
        resolve(pasted, {})
    assert "hunter2" not in str(error.value)
