from dapr_hero.contract.mode import Mode
from dapr_hero.settings import Settings


def test_a_mode_is_its_name_with_a_protocol_and_the_setting_of_its_port() -> None:
    mode = Mode("custom-grpc")
    assert (mode, mode.protocol, mode.port_setting) == ("custom-grpc", "grpc", "custom_grpc_port")


def test_each_mode_has_its_own_port_setting() -> None:
    settings = {mode.port_setting for mode in Mode}
    assert len(settings) == len(Mode)
    assert settings <= Settings.model_fields.keys()


def test_the_callback_port_is_that_of_the_chosen_mode() -> None:
    for mode in Mode:
        chosen = Settings(dapr_mode=mode).model_copy(update={mode.port_setting: 1234})
        assert chosen.callback_port == 1234
