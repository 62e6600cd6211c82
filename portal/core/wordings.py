"""What does Ringback say when an app's owner has written nothing?"""

from typing import Final

from portal.core import locales

# Each fits one SMS with the longest values there are. The unit is cut short because one, two and ten minutes
# bend the word differently, in Arabic most of all.
# Spanish says "clave" because an o with an acute accent is not in GSM-7 and would double the price.
VERIFICATION: Final[dict[str, str]] = {
    "en": "{code} is your {app_name} code. It is valid for {minutes} min. Never share it with anyone.",
    "ja": "{app_name}の認証コード：{code}（{minutes}分間有効）他人に教えないでください。",
    "de": "{code} ist Ihr Code für {app_name}. Er gilt {minutes} Min. Geben Sie ihn an niemanden weiter.",
    "fr": "{code} est votre code {app_name}. Il est valable {minutes} min. Ne le partagez avec personne.",
    "es": "{code} es su clave de {app_name}. Vence en {minutes} min. No la comparta con nadie.",
    "ar": "رمز {app_name}: {code}، صالح {minutes} د. لا تشاركه.",
}

# These go to the number that is being left behind, whoever holds it now: no code, no link, nobody's name.
CHANGE_NOTICE: Final[dict[str, str]] = {
    "en": "{app_name}: your phone number is being changed. If this was not you, change your password now.",
    "ja": "{app_name}：電話番号の変更が始まりました。心当たりがなければパスワードを変更してください。",
    "de": "{app_name}: Ihre Telefonnummer wird geändert. Waren Sie das nicht, ändern Sie Ihr Passwort.",
    "fr": "{app_name}: votre numéro va changer. Si ce n'est pas vous, changez votre mot de passe.",
    "es": "{app_name}: se va a cambiar su teléfono. Si no ha sido usted, cambie su contraseña.",
    "ar": "بدأ تغيير رقم هاتفك في {app_name}. إن لم تطلب ذلك فغيّر كلمة المرور.",
}


def notice_for(locale: str | None) -> str:
    """The change notice in the language that serves `locale` best, English when none does. Never raises."""
    return CHANGE_NOTICE[locales.choose(locale, CHANGE_NOTICE, locales.LAST_RESORT)]
