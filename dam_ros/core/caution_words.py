"""The word lists of `caution`, in five languages: one regular expression a line, case does not matter.

A name in angle brackets stands for the group of that name. Measured in tests/test_words_caution.py; docs/words.md
says how to change them.
"""
from __future__ import annotations

# -- what the system never says itself; whole words, but in Chinese
BANNED = {
    'en': r"""
        clear(ly)?
        safe(ly)?
        free
        empty
        nothing
        unobstructed
        move|walk(ing)?|step|cross|proceed
        (please|you can|you may|now) (go|stop|turn)
        certain(ly)?|definitely|surely|I am sure|no doubt|guaranteed
        100 ?%""",
    'es': r"""
        despejad[oa]s?|segur[oa]s?|libres?|vac[ií][oa]s?|nada
        camin(a|e|ar)|and(a|e|ar)|cruz(a|ar)|cruce|avan(za|ce|zar)|muév[ea](te|se)
        seguramente|ciert[oa](mente)?|sin duda
        100 ?%""",
    'de': r"""
        frei(e[nrs]?)?|sicher(lich)?|leer|nichts
        geh(en|t)?|lauf(en|t)?|überquer\w*|beweg\w*|tritt
        bestimmt|gewiss|zweifellos|garantiert
        100 ?%""",
    'fr': r"""
        libres?|dégagée?s?|sûre?s?|vides?|rien|sans danger
        march(e|ez|er)|avan(ce|cez|cer)|travers(e|ez|er)|allez|bouge[zr]?
        sûrement|certain(e|ement)?|sans aucun doute
        100 ?%""",
    'zh': r"""
        安全|畅通|空的|没有东西|什么都没有
        走|过马路|移动|前进
        肯定|一定|确定|绝对|百分之百""",
}

GROUPS = {
    # English
    'way': r"""way|path|pathway|road|roadway|street|route|sidewalk|pavement|crosswalk|crossing|corridor|hallway
        aisle|passage|passageway|lane|walkway|driveway|intersection|junction|trail|tracks?|exit|entrance
        stairs|stairway|staircase|steps|coast|ground|floor|area ahead|space ahead""",
    'in way': r"""obstacles?|obstructions?|traffic|cars?|vehicles?|hazards?|dangers?|risks?|threats?|barriers?
        debris""",
    'go': r"""go|cross|walk|proceed|pass|move|continue|step|enter|drive|advance|eat|drink|touch|swallow|climb|run
        get (?:by|past|through|in|on)""",
    'well': r"""clear|free|empty|unobstructed|unblocked|passable|walkable|navigable|deserted|open""",
    'is': r"""(?:is|are|be|was|looks?|seems?|appears?|remains?|stays?)(?: to be)?|'s|'re""",
    'may I': r"""(?:can|may|could|should|shall|must) (?:I|we|one|he|she|they|my \w+|the \w+)""",
    'do it': r"""cross|go|walk|pass|proceed|continue|enter|step|run|drive|move|leave|climb|jump|eat|drink|swallow
        touch|use it
        take (?:it|this|that|these|those|one|two|them)|get (?:in|on|off|out|through|by|past)
        turn (?:left|right|around)""",
    'turn': r"""go|walk|cross|proceed|continue|move|step|keep|head|turn""",
    # Spanish
    'camino': r"""camino|vía|calle|carretera|paso|acera|pasillo|cruce|ruta|sendero|calzada|entrada|salida
        escaleras?|suelo|corredor|trayecto""",
    'libre': r"""libres?|despejad[oa]s?|vac[ií][oa]s?|segur[oa]s?|transitables?|sin obstáculos""",
    'es': r"""es|está|están|son|parecen?|queda""",
    'hacer': r"""cruzar|pasar|caminar|andar|ir|seguir|avanzar|entrar|salir|subir|bajar|comer|beber|tomar|tocar
        usar|continuar""",
    # German
    'weg': r"""weg|straße|strasse|fahrbahn|gehweg|bürgersteig|bahn|gang|flur|kreuzung|durchgang|übergang
        zebrastreifen|treppe|spur|zufahrt|ausgang|eingang|boden|radweg|korridor|fußweg""",
    'gehen': r"""gehen|laufen|überqueren|weitergehen|passieren|essen|trinken|anfassen|betreten|hinübergehen
        losgehen|fahren""",
    'tun': r"""weiter|durch|rüber|hinüber|einsteigen|aussteigen|berühren|nehmen|einnehmen|benutzen""",
    'du kannst': r"""du kannst|sie können|ihr könnt|man kann|kannst du|können sie|man darf|du darfst""",
    # French
    'chemin': r"""chemin|voie|route|rue|trottoir|passage|couloir|allée|carrefour|croisement|chaussée|sentier
        escaliers?|sol|entrée|sortie""",
    'dégagé': r"""libres?|dégagée?s?|vides?|sûre?s?|désertes?|praticables?|sécurisée?s?""",
    'est': r"""est|sont|semblent?|paraît|reste""",
    'faire': r"""passer|traverser|marcher|avancer|aller|continuer|entrer|sortir|monter|descendre|manger|boire|toucher
        prendre|utiliser|y aller""",
}

# -- what people ask that no picture can answer
QUESTIONS = r"""
    \b(?:un)?safe(?:ly|ty)?\b
    \b(?:dangerous|danger|hazard\w*|risky?|harmful|poison\w*|toxic)\b
    \bcross(?:ing)? (?:now|here|the|this|over|safely)\b
    \bgo (?:across|over|ahead|now)\b|\bget across\b
    \b(?:traffic|pedestrian|crossing|crosswalk|walk|stop) ?-?(?:lights?|signals?)\b
    \b(?:is|are) (?:the|it|that|this|those|my)? ?(?:light|signal|man)s? (?:now )?(?:red|green|amber|yellow)
    \b<may I> (?:now |safely |still |just )?<do it>\b
    \b<way>\b.{0,30}\b(?:blocked|obstructed|<well>)\b
    \b(?:clear|free) (?:way|path|road|to (?:go|cross|walk))\b
    \b(?:in|on) (?:my|the) (?:way|path)\b
    \b(?:obstacle|obstruct)\w*
    \b(?:cars?|traffic|bus(?:es)?|trams?|trains?|vehicles?|bikes?)\b.{0,20}\b(?:coming|approaching|near)\b
    \b(?:medicin\w*|medication\w*|pills?|tablets|capsules?|dos(?:e|es|age)|drugs?|prescri\w+|painkillers?)\b
    \b(?:insulin|aspirin|ibuprofen|paracetamol|antibiotic\w*|syringe|inhaler)\b
    \b(?:allerg\w*|gluten|peanuts?|lactose)\b
    \b(?:edible|drinkable|expired|spoiled|rotten|mou?ldy|best before|use[- ]by|expiry|still good|gone off)\b
    \b(?:hot|live|sharp) (?:enough|to touch)
    \b(?:stove|oven|hob|burner|iron|gas)\b.{0,20}\b(?:on|off|hot)\b

    \b(?:in)?segur[oa]s?\b|\bseguridad\b
    \b(?:peligr\w*|riesgo\w*|tóxic\w*|venen\w*|dañin\w*)\b
    \bsemáforos?\b|\bluz (?:verde|roja)\b
    \b(?:cruzar|cruzo|paso de (?:cebra|peatones))\b
    \b(?:puedo|podemos|se puede|debo|podría) (?:ya |ahora )?<hacer>(?:l[oae]s?)?\b
    \b<camino>\b.{0,30}\b(?:libre|despejad[oa]|vací[oa]|bloquead[oa])\b
    \b(?:libre|despejad[oa]) (?:el|la) <camino>\b
    \bobstáculos?\b|\ben (?:mi|el) camino\b
    \b(?:vienen?|acerca\w*)\b.{0,20}\b(?:coches?|autos?|carros?|tráfico)\b
    \b(?:medicin\w*|medicament\w*|pastillas?|píldoras?|comprimidos|cápsulas?|dosis|jarabe|receta médica)\b
    \b(?:insulina|aspirina|ibuprofeno|alergi\w*|alérgic\w*|cacahuetes?|lactosa)\b
    \b(?:caducad[oa]|caduca|comestible|potable|podrid[oa]|en mal estado)\b

    \b(?:un)?sicher(?:heit)?\b
    \b(?:gefahr|gefährlich|risiko|riskant|giftig|schädlich|ungefährlich)\w*
    \b(?:fußgänger|verkehrs)?ampel\w*\b|\b(?:grün|rot)es? (?:männchen|licht)\b|\bzebrastreifen\b
    \b(?:überquer\w*|rübergehen|hinübergehen|über die straße)\b
    \b(?:kann|darf|soll|sollte|muss|können|dürfen|sollen) (?:ich|wir|man)\b.{0,40}\b(?:<gehen>|<tun>)\b
    \b<weg>\b.{0,30}\b(?:frei|leer|blockiert|versperrt)\b
    \bim weg\b|\bhinderniss?e?\b
    \bkomm(?:t|en)\b.{0,20}\b(?:autos?|bus|bahn|zug|verkehr|fahrrad)\b
    \b(?:medikament\w*|medizin\w*|tabletten?|pillen?|kapseln?|dosis|dosierung|arznei\w*|rezeptpflichtig|spritze)\b
    \b(?:erdn[uü]ss\w*|laktose)\b
    \b(?:essbar|genießbar|trinkbar|abgelaufen|verdorben|verschimmelt|haltbar)\b
    \bherd\b.{0,15}\b(?:an|aus|heiß)\b

    \bsûre?s?\b|\bsécurité\b|\bsans (?:danger|risque)\b
    \b(?:danger\w*|risqu\w*|toxiques?|poison|nocif|nocive)\b
    \bfeux? (?:rouge|vert|tricolore|de circulation|piéton\w*|est)\b|\bbonhomme (?:vert|rouge)\b|\bpassage piéton\w*
    \btravers(?:er|e|ons)\b
    \b(?:puis-je|peux-je|je peux|peut-on|on peut|pouvons-nous|dois-je|je dois)\b.{0,20}\b<faire>\b
    \b<chemin>\b.{0,30}\b(?:libre|dégagée?|vide|bloquée?)\b
    \bsur (?:mon|le) chemin\b
    \b(?:voitures?|bus|train|tram)\b.{0,20}\b(?:arrive|vient|approche)
    \b(?:médicaments?|médecine|pilules?|comprimés?|gélules?|cachets?|doses?|dosage|posologie|ordonnance|sirop)\b
    \b(?:insuline|aspirine|ibuprofène|paracétamol|arachides?|cacahu[eè]tes?)\b
    \b(?:périmée?|avariée?|moisie?)\b

    安全|危险|有毒|有害|风险|障碍|挡路|挡着
    红绿灯|交通灯|信号灯|绿灯|红灯|斑马线|人行横道|过马路|过街
    (?:可以|能|能不能|可不可以|可否)[^，。？]{0,6}(?:走|过|通过|前进|进去|上车|下车|吃|喝|碰|摸|用)
    (?:路|街|前面|通道)[^，。？]{0,6}(?:畅通|通畅|空|堵)
    有(?:没有)?车|来车
    药|剂量|胶囊|过敏|麸质|花生|过期|变质|能吃|能喝"""

# -- what models claim
CLAIMS = r"""
    (?:<is>) (?:\w+ ){0,2}safe\b(?! deposit)
    \bsafe (?:to|for|way|path|route|passage|crossing|place|spot|area|distance|enough|now|here)\b
    \bperfectly safe\b|\ball clear\b|\bgood to go\b
    \bsafely (?:\w+ )?<go>\b|\b<go> (?:\w+ ){0,2}safely\b
    \b<way>\b(?: \w+){0,4} (?:<is>) (?:\w+ ){0,2}<well>\b(?! to the public)
    \b(?:clear|free|unobstructed|unblocked|empty|deserted|passable|obstacle-free|traffic-free) (?:\w+ )?<way>\b
    \bopen (?:way|path|road|route|lane|passage)\b
    \b(?:free|clear) (?:of|from) (?:any |all |other )?<in way>\b
    \b(?:no|without|without any|zero) (?:\w+ ){0,2}<in way>\b
    \bnothing (?:is |that )?(?:in|on|block\w*|obstruct\w*) (?:the|your|my|this|its|our) (?:\w+ )?<way>\b
    \bnothing (?:is |lies |stands )?(?:there|ahead|in front|in between|around|near(?:by)?|behind you|to worry)\b
    \b(?:you|pedestrians|people|one) (?:can|may|could|should|must) (?:now |safely |also |easily |still |just )*<go>\b
    \b(?:you|pedestrians|people) (?:are|will be) (?:able|free) to (?:now |safely |easily )*<go>\b
    (?:<is>) (?:now |also )?(?:ok|okay|fine|alright|all right|possible|time) to <go>\b
    ^(?:now |then |please |just )?<turn> (?:ahead|forward|straight|left|right|on|now|across|over|along)\b
    ^(?:now |then |please |just )?(?:keep|continue) (?:walking|going|moving)\b
    \b(?:risk|hazard|danger)-free\b|\bnon-?toxic\b|\bharmless\b
    (?:\bnot|n't) (?:\w+ )?(?:dangerous|hazardous|harmful|blocked|obstructed|poisonous|toxic|risky)\b
    \bpos(?:es?|ing) no\b|\bnot pose\b|n't pose\b
    \b(?:edible|drinkable|potable)\b|\b(?:fit|fine|good|ok|okay) to (?:eat|drink)\b
    \b(?:light|signal)s? (?:is|are|shows?|has turned|turned|turns|now|glows?) (?:\w+ )?green\b
    \bgreen man\b|\bwalk signal is on\b

    \b<camino>\b(?: \w+){0,4} <es> (?:\w+ )?<libre>(?!\w)
    \b<camino> <libre>(?!\w)
    \b<es> (?:muy |totalmente |completamente )?segur[oa]s?(?!\w)
    \bde forma segura\b|\bcon seguridad\b
    \b(?:sin|libres? de) (?:ningún |ninguna )?(?:obstáculos?|peligros?|tráfico|coches|riesgos?|vehículos)\b
    \bno (?:hay|se ven?) (?:ningún |ninguna )?(?:obstáculos?|coches?|tráfico|peligros?|riesgos?|vehículos?)\b
    \bnada (?:delante|enfrente|en (?:el|su|tu|mi) camino|que (?:bloquee|obstruya))
    \bno es peligros[oa]\b|\binofensiv[oa]s?\b
    (?<!no )\b(?:puede|puedes|podéis|pueden|se puede|podemos) (?:ya |ahora )?<hacer>
    ^(?:cruza|cruce|avanza|avance|siga|sigue|camina|camine)\b
    \bcomestibles?\b|\bpotable\b|\bsemáforo (?:está )?(?:en )?verde\b

    \b<weg>\b(?: \w+){0,4} (?:ist|sind|scheint|wirkt|bleibt) (?:\w+ )?(?:frei|leer|sicher|hindernisfrei|\w+bar)\b
    \b(?:freie[rnsm]?|sichere[rnsm]?|leere[rnsm]?|hindernisfreie[rnsm]?) (?:\w+ )?<weg>\b|\bfreie fahrt\b
    \b(?:es|das|hier|dort) (?:ist|scheint|wirkt) (?:\w+ )?sicher\b
    \bist (?:völlig |ganz |absolut )?sicher[.,!]?$
    \bsicher (?:zu |überquer|begehbar|passier|betret)
    \bgefahrlos\b|(?<!nicht )\bungefährlich\b|\bharmlos\b|\bunbedenklich\b
    \bkeine?(?:rlei)? (?:\w+ )?(?:gefahr(?:en)?|hindernis(?:se)?|autos?|fahrzeuge?|verkehr|risiko|risiken)\b
    \bohne (?:hindernisse?|gefahr|verkehr|risiko)\b|\bfrei von (?:hindernissen|verkehr|autos)\b
    \bnichts (?:im weg|vor (?:dir|ihnen|uns)|davor|versperrt|blockiert)
    \bnicht (?:gefährlich|blockiert|versperrt|giftig)\b
    \b<du kannst>\b(?:(?! nicht| kein).){0,40}<gehen>\b
    ^(?:geh|gehe|gehen sie|lauf|laufen sie) (?:\w+ )?(?:weiter|geradeaus|los|nach)\b|\bweitergehen sie\b
    \bessbar\b|(?<!un)genießbar\b|\btrinkbar\b|\bampel (?:ist|zeigt|steht auf) (?:jetzt )?grün\b

    \b<chemin>\b(?: \w+){0,4} <est> (?:\w+ )?<dégagé>(?!\w)
    \b<chemin> <dégagé>(?!\w)
    (?:c'est|\b<est>) (?:très |tout à fait |parfaitement )?sûre?s?(?!\w)
    \ben (?:toute )?sécurité\b
    \bsans (?:aucun |aucune )?(?:obstacles?|danger|risque|circulation|trafic)\b
    \b(?:pas|aucune?|plus) (?:d'|de )?(?:obstacles?|danger|voitures?|circulation|trafic|risque|véhicules?)\b
    \brien (?:devant|sur le chemin|dans le passage|en travers|ne bloque|n'obstrue|ne gêne)
    \bpas dangereu(?:x|se)\b|\binoffensi
    \b(?:vous pouvez|tu peux|on peut) (?:maintenant )?<faire>\b
    ^(?:traversez|traverse|avancez|avance|allez-y|vas-y|continuez|marchez)\b
    \bfeu est (?:au )?vert\b

    (?<!不)(?<!不太)安全(?![帽带锁门出标背套气柜座网绳岛员检须警第生栏头鞋手提玻])
    畅通|通畅|无害|无毒|可食用|可饮用|放心
    (?:没有|无|没)(?:任何)?(?:障碍|危险|阻挡|来车|车辆|车(?![牌轮窗顶门厢])|风险)
    (?<!不)可以(?:安全)?(?:地)?(?:直接)?(?:走|过|通过|通行|前进|穿过|食用|吃|喝|饮用|触摸|碰|行走|前行)
    前[方面](?:什么都)?(?:没有|无)
    空(?:荡荡|旷)?(?:无一人|无车)?的(?:道?路|街|马路|走廊|人行道)|(?:路|街)上(?:没有|空)
    (?:信号灯|交通灯|红绿灯|指示灯)(?:是|为|变成|显示)绿"""

# -- denied: what is said not to be so is no claim
DENIED = r"""
    \b(?:not|isn't|aren't|never|hardly|neither|nor|cannot be|may not be)\s+(?!only\b)(?:\w+\s+)?(?:safe|<well>)\b
    \b(?:nicht|pas|no (?:es|está))\s+(?:\w+\s+)?(?:sicher|frei|sûre?s?|<libre>|dégagée?s?)(?!\w)
    \bkeine? freie[nr]?\b"""
