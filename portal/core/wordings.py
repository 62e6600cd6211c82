"""What does Ringback say when an app's owner has written nothing?"""

from typing import Final

from portal.core import locales

# Each fits one SMS with the longest values there are. The unit is cut short because one, two and ten minutes
# bend the word differently, in Arabic most of all.
# Where GSM-7 lacks a letter, another word stands in, never a misspelling, for UCS-2 would double the price:
# Spanish says "clave" and Portuguese "PIN" for want of an accented o, Turkish goes without its three letters.
# The languages in UCS-2 have 28 characters left beside the values, hence their brevity.
VERIFICATION: Final[dict[str, str]] = {
    "en": "{code} is your {app_name} code. It is valid for {minutes} min. Never share it with anyone.",
    "ja": "{app_name}の認証コード：{code}（{minutes}分間有効）他人に教えないでください。",
    "de": "{code} ist Ihr Code für {app_name}. Er gilt {minutes} Min. Geben Sie ihn an niemanden weiter.",
    "fr": "{code} est votre code {app_name}. Il est valable {minutes} min. Ne le partagez avec personne.",
    "es": "{code} es su clave de {app_name}. Vence en {minutes} min. No la comparta con nadie.",
    "ar": "رمز {app_name}: {code}، صالح {minutes} د. لا تشاركه.",
    "zh-Hans": "{code}是您的{app_name}验证码，{minutes}分钟内有效，请勿告诉他人。",
    "zh-Hant": "{code}是您的{app_name}驗證碼，{minutes}分鐘內有效，請勿告訴他人。",
    "ko": "{app_name} 인증번호 {code}({minutes}분간 유효). 타인에게 알리지 마세요.",
    "pt": "{code} é o seu PIN de {app_name}. Vale por {minutes} min. Nunca o compartilhe com ninguém.",
    "it": "{code} è il codice di verifica {app_name}. Scade tra {minutes} min. Non va comunicato a nessuno.",
    "hi": "{app_name} कोड: {code} ({minutes} मिनट)। साझा न करें।",
    "he": "קוד {app_name}: {code}, תקף {minutes} דק׳. אין לשתף.",
    "id": "{code} adalah kode {app_name} Anda. Berlaku {minutes} menit. Jangan berikan kepada siapa pun.",
    "vi": "Mã {app_name}: {code} ({minutes} phút). Đừng chia sẻ.",
    "th": "รหัส {app_name}: {code} ({minutes} นาที) ห้ามเปิดเผย",
    "tr": "{code} {app_name} kodunuzdur. {minutes} dk sonra sona erer. Kimseye söylemeyin.",
    "ru": "Код {app_name}: {code} ({minutes} мин). Не сообщайте.",
}

# These go to the number that is being left behind, whoever holds it now: no code, no link, nobody's name.
CHANGE_NOTICE: Final[dict[str, str]] = {
    "en": "{app_name}: your phone number is being changed. If this was not you, change your password now.",
    "ja": "{app_name}：電話番号の変更が始まりました。心当たりがなければパスワードを変更してください。",
    "de": "{app_name}: Ihre Telefonnummer wird geändert. Waren Sie das nicht, ändern Sie Ihr Passwort.",
    "fr": "{app_name}: votre numéro va changer. Si ce n'est pas vous, changez votre mot de passe.",
    "es": "{app_name}: se va a cambiar su teléfono. Si no ha sido usted, cambie su contraseña.",
    "ar": "بدأ تغيير رقم هاتفك في {app_name}. إن لم تطلب ذلك فغيّر كلمة المرور.",
    "zh-Hans": "{app_name}：您的手机号码正在更改。如非本人操作，请立即修改密码。",
    "zh-Hant": "{app_name}：您的手機號碼正在變更。若非本人操作，請立即變更密碼。",
    "ko": "{app_name}: 전화번호 변경이 요청되었습니다. 본인이 아니라면 비밀번호를 변경하세요.",
    "pt": "{app_name}: foi pedida a troca do telefone desta conta. Se outra pessoa pediu, mude a sua senha.",
    "it": "{app_name}: il Suo numero di telefono sta per cambiare. Se non è stato Lei, cambi la password.",
    "hi": "{app_name}: आपका नंबर बदला जा रहा है। यह आप नहीं, तो पासवर्ड बदलें।",
    "he": "מספר הטלפון שלך ב-{app_name} משתנה. אם לא ביקשת זאת, יש להחליף סיסמה.",
    "id": "{app_name}: nomor telepon Anda sedang diubah. Jika ini bukan Anda, segera ganti kata sandi.",
    "vi": "{app_name}: đang đổi số điện thoại. Không phải bạn? Hãy đổi mật khẩu.",
    "th": "{app_name}: กำลังเปลี่ยนเบอร์โทรนี้ หากไม่ใช่คุณ โปรดเปลี่ยนรหัสผ่าน",
    "tr": "{app_name}: hesaba sizinki yerine yeni telefon ekleniyor. Siz istemediyseniz parola yenileyin.",
    "ru": "{app_name}: меняется номер телефона. Если это не вы, смените пароль.",
}


# To an account's own number, before tests of live apps may go there.
OWN_NUMBER: Final = "{code} confirms that test SMS of {app_name} may be sent to this number."


def notice_for(locale: str | None) -> str:
    """The change notice in the language that serves `locale` best, English when none does. Never raises."""
    return CHANGE_NOTICE[locales.choose(locale, CHANGE_NOTICE, locales.LAST_RESORT)]
