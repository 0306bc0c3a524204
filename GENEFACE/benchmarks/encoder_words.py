"""Words that the synthetic corpus of the speech encoder is spoken from, by espeak-ng voice."""

from __future__ import annotations

WORDS = {
    "en-us": """people before water maybe number simple from above both remember paper happy begin bring mother father
        five very river over thing other through with house show measure judge church change yellow young music moon
        would we one quick question boy voice now about time make day home go car heart bird word little apple family
        problem improve company member September probably possible important move beautiful""",
    "en-gb": """perhaps bubble map problem lamp cup bottle brown blue possible five give love leaf think this those
        through weather shoulder garage jam cheese union use wool swim away quiet near there tour boy how fire hour
        lot law father nurse bath better simple evening remember combine member purple impossible""",
    "de": """Abend bitte Mutter Brot Apfel Pferd Baum fünf vier Wasser Wein Haus schön Grüße Mädchen Buch ich nicht
        spielen Sprache Straße jetzt Jahr heute neu Auto machen über öffnen hören klein groß Zeit ganz immer sagen Leben
        Bild Problem kommen April zusammen Nummer lieben Himmel""",
    "fr-fr": """bonjour maman papa pomme beau petit femme fille vous voir vie jour jardin chaud chien monsieur deux
        peu peur soeur lune rue nuit oui moi trois temps pain bon un vin grand enfant maison rouge gagner travail
        parler problème comment combien appeler important simple""",
    "es": """bueno madre padre pueblo agua amigo familia vivo feliz fuego luz zapato cinco mesa rojo perro pero hijo
        lluvia llamar mañana niño chico mucho ocho hola gente joven guerra quiero cuando tiempo nombre hombre problema
        también campo cumplir posible simple""",
    "it": """buono mamma babbo bambino pane ponte amore fiume vedere vivere zio pizza cielo cena gente giorno scuola
        pesce figlio famiglia bagno acqua quando uomo nuovo più poi guerra rosso notte sempre tempo campo problema
        possibile importante numero""",
    "pt-br": """bom mãe pai pão água família viver falar fazer feliz vida chuva chave jogo gente amanhã senhora filho
        olho quando quatro mundo sempre tempo campo problema também homem ontem muito não coração noite dois""",
    "nl": """boom moeder vader brood appel water vijf vier huis mooi groot goed geen schip school jaar jong leven
        spelen kleuren deur neus buiten nieuw vrouw zien zeven mensen samen komen probleem nummer nemen""",
    "pl": """mama pies dobry bardzo woda wiosna ryba mówić miasto życie żona czas szkoła ciało dziecko dzień księżyc
        jabłko jutro łóżko matka książka problem pięć będę głowa śnieg przyjaciel możliwy""",
    "ru": """мама папа пожалуйста хлеб вода жизнь время шесть чай щека цена юг ёлка яблоко большой мальчик город
        друг зима рыба если говорить любовь память проблема помню быть вместе возможно""",
    "cmn": """你好 朋友 爸爸 妈妈 北京 苹果 飞机 吃饭 喝水 学习 老师 学生 今天 明天 月亮 雨水 中国 说话 时间 知道
        没有 我们 不是 什么 非常 漂亮 工作 电脑 女儿 绿色 风景 问题 帮忙 部门 面包 跑步 办法 目标 保护 明白""",
    "ja": """おはよう ありがとう わたし ともだち みず ごはん べんきょう せんせい がっこう さくら やま かわ うみ
        しんぶん でんわ まいにち ひゃく ふゆ なつ はる あき もんだい ぶんか たべもの のみもの きょう""",
    "hi": """पानी माता पिता भाई बहन फूल बड़ा छोटा जीवन समय घर काम बात मेरा तुम्हारा विद्यालय शब्द आज कल पुस्तक
        भारत बहुत अच्छा मुझे क्या प्रेम संभव""",
    "tr": """merhaba anne baba su ekmek elma büyük küçük çocuk şeker güzel gün yol ağaç kuş köy ırmak ışık insan zaman
        bugün yarın mümkün problem pembe fıstık vapur""",
    "ko": """안녕하세요 어머니 아버지 물 밥 사람 친구 학교 선생님 오늘 내일 비 바다 산 나무 꽃 책 문제 시간 마음
        가능 부모 표현 음악""",
}
"""Everyday words, written for this; shuffled into sentences they give every pair of sounds."""
