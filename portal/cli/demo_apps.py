"""Which apps are in the demo? Three, each with a home, wordings in several languages and its own habits."""

from dataclasses import dataclass, field

from portal.core.roles import Role
from portal.core.wordings import VERIFICATION
from portal.models import App, AppMode, NumberTaken
from portal.services import accounts, apps, sms_templates
from portal.services.apps import AppChanges, NewApp
from portal.services.context import Context

_JAPANESE = "【{app_name}】認証コードは{code}です。{minutes}分以内に入力してください。"
_ARABIC = "{app_name}: رمز التحقق هو {code}، وهو صالح لمدة {minutes} دقائق."
_BRAZILIAN = "{app_name}: seu código é {code}. Vale por {minutes} min. Não compartilhe."


@dataclass(frozen=True, slots=True)
class DemoApp:
    """One app of the demo, and how many `users` it has; the `settlers` among them came long ago.

    `templates` come on top of the English one.
    """

    name: str
    home_country: str
    countries: tuple[str, ...]
    users: int
    settlers: int
    default_locale: str
    templates: dict[str, str] = field(default_factory=dict)
    mode: AppMode = AppMode.SANDBOX
    number_taken: NumberTaken = NumberTaken.REFUSE
    # A country that the owner closed a while ago, while messages to it waited.
    closes: str = ""


APPS = (
    DemoApp(
        "Hanami Coffee",
        "JP",
        ("JP", "JP", "JP", "JP", "KR", "TH", "VN", "PH", "ID", "US"),
        200,
        120,
        "ja",
        {"ja": _JAPANESE, "ar": VERIFICATION["ar"]},
        number_taken=NumberTaken.MOVE,
    ),
    DemoApp(
        "Kiezrad",
        "DE",
        ("DE", "DE", "DE", "DE", "FR", "ES", "IT", "GB", "TR", "ZA", "EG", "SA", "IN"),
        180,
        100,
        "de",
        {"de": VERIFICATION["de"], "ja": VERIFICATION["ja"], "ar": _ARABIC},
        mode=AppMode.LIVE,
        closes="NG",
    ),
    DemoApp(
        "Samba Pay",
        "BR",
        ("BR", "BR", "BR", "BR", "MX", "US"),
        120,
        70,
        "pt-BR",
        {"pt-BR": _BRAZILIAN, "ja": VERIFICATION["ja"], "ar": VERIFICATION["ar"]},
    ),
)


def create(ctx: Context, plan: DemoApp, owner_id: str, support_id: str) -> App:
    """Creates one app as its owner would: countries opened, wordings saved, verification switched on."""
    new = NewApp(name=plan.name, home_country=plan.home_country)
    app = apps.create(ctx, new, owner_id).app
    here = ctx.in_app(app.id)
    accounts.join(here, support_id, Role.SUPPORT)
    for locale, body in plan.templates.items():
        sms_templates.save(here, locale, body)
    apps.change(
        here,
        AppChanges(
            default_locale=plan.default_locale,
            open_countries=frozenset({*plan.countries, plan.closes} - {""}),
            number_taken=plan.number_taken,
            phone_number_verification_required=True,
        ),
    )
    if plan.mode is AppMode.LIVE:
        # A development run prints these messages; in production an app needs a carrier to go live.
        app.mode, app.provider = plan.mode, "console"
    ctx.session.flush()
    return app
