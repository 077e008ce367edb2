"""What people ask that no picture can answer: the first list of `caution`, written as those in caution_words.py."""
from __future__ import annotations

QUESTIONS = r"""
    \b(?:un)?safe(?:ly|ty)?\b
    \b(?:dangerous|danger|hazard\w*|risky?|harmful|poison\w*|toxic)\b
    \bcross(?:ing)? (?:now|here|the|this|over|safely)\b
    \bgo (?:across|over|ahead|now)\b|\bget across\b
    \b(?:traffic|pedestrian|crossing|crosswalk|walk|stop) ?-?(?:lights?|signals?)\b
    \b(?:is|are) (?:the|it|that|this|those|my)? ?(?:light|signal|man)s? (?:now )?(?:red|green|amber|yellow)
    \b(?:ok|okay|fine|alright|all right) (?:for (?:me|us) )?to (?:\w+ly )?<do it>\b
    \b(?:blood pressure|heart|headache|sleeping|vitamin|water|salt) tablet\b|\b(?:my|which) (?:\w+ )?tablet to take\b
    \b<may I> (?:now |safely |still |just )?<do it>\b
    \b<way>\b.{0,30}\b(?:blocked|obstructed|<well>)\b
    \b(?:clear|free) (?:way|path|road|to (?:go|cross|walk))\b
    ^(?!.*\b(?:written|says?|reads?|colou?r|brand)\b).*\b(?:in|on) (?:my|the) (?:way|path)\b
    \b(?:obstacle|obstruct)\w*
    \b(?:cars?|traffic|bus(?:es)?|trams?|trains?|vehicles?|bikes?)\b.{0,20}\b(?:coming|approaching|near)\b
    \b(?:medicin\w*|medication\w*|pills?|tablets|capsules?|dos(?:e|es|age)|drugs?|prescri\w+|painkillers?)\b
    \b(?:insulin|aspirin|ibuprofen|paracetamol|antibiotic\w*|syringe|inhaler)\b
    \b(?:allerg\w*|gluten|peanuts?|lactose)\b
    \b(?:edible|drinkable|expired|spoiled|rotten|mou?ldy|best before|use[- ]by|expiry|still good|gone off)\b
    \b(?:hot|live|sharp) (?:enough|to touch)
    \b(?:stove|oven|hob|burner|iron|gas|pan|plate|kettle|pot|radiator|water)\b.{0,20}\b(?:on|off|hot)\b(?! <its>)
    \b(?:hot|slippery|slick|icy|wet|sharp|electrified|flammable|on fire|burning)\?*$
    \b(?:stairs?|steps?|hill|slope|ramp|it|this|that|water|pool|puddle|hole)\b.{0,15}\b(?:shallow|deep|steep|uneven)\?*$
    \b<way>\b.{0,15}\b(?:shallow|deep|steep|uneven)\?*$|\bhow (?:deep|steep|shallow)\b
    \b(?:floor|ground|stairs?|steps?|path|road|sidewalk|pavement)\b.{0,15}\b(?:wet|slippery|icy|dry|even|level|uneven)\b
    \b(?:is there|are there|any) (?:an? |any |some |the )?(?:\w+ )?<edge>\b|\bfar\b.{0,15}\b<edge>\b
    \b(?:steps?|stairs?|edge|drop)\b.{0,20}\b(?:ahead|front|near|close|before|far|where|down|under)\b
    \b(?:hole|kerb|curb|ledge|cliff)\b.{0,20}\b(?:ahead|front|near|close|before|far|where|down|under)\b
    \bwhere (?:is|are|do|does) (?:the )?(?:\w+ )?(?:steps?|stairs?|edge|drop|hole|kerb|curb|stairway)\b
    \b(?:could|will|would|might|can) (?:I|we) (?:fall|trip|slip|burn|get hurt|bump|hit|hurt)\b
    \btraffic\b.{0,20}\b(?:busy|heavy|moving|stopped|there|coming)\b|\b(?:is|any|much|the) (?:there )?(?:any )?traffic\b
    \b(?:expir\w+|expiration|sell[- ]by|shelf life|dosage|milligrams?|how many .{0,20}take|how often|side effects?)\b
    \b(?:contains?|in it|made (?:\w+ )?(?:with|of|from)).{0,12}\b<allergen>\b|\b<allergen> in (?:it|this|that|there)\b
    \b(?:it|this|that|one|<food>) (?:has|have|with)\b.{0,12}\b<allergen>\b
    \b(?:nuts?|dairy)\b
    \b(?:smell\w*|taste\w*|gone|went) (?:bad|off)\b|\b<food> (?:\w+ )?off\?*$
    \b(?:fresh|ripe|raw|cooked (?:through|enough)|spoilt)\?*$|\bbleach\b|\bchemical\w*

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
    \b(?:escal[oó]n(?:es)?|bordillo|desnivel|borde|agujero|hoyo|precipicio|resbal\w+|mojad[oa]s?|afilad[oa]s?|quema\w*)\b
    \bescaleras?\b.{0,20}\b(?:delante|frente|cerca|abajo)\b|\b(?:hay|dónde \w+) (?:una? |la |las |unas )?escaleras?\b
    \b(?:hay|mucho) (?:mucho )?tráfico\b
    \b(?:cocina|estufa|horno|plancha|fuego|sartén)\b.{0,20}\b(?:encendid|apagad|caliente)
    \b(?:encendid|apagad)[oa]s? (?:la|el) (?:cocina|estufa|horno|plancha|fuego)
    \b(?:caducidad|vence|vencimiento|vencid[oa]|gluten|nueces|cuántas .{0,15}tomar|veneno)\b
    \b(?:caducad[oa]|caduca|comestible|potable|podrid[oa]|en mal estado)\b

    \b(?:un)?sicher(?:heit)?\b
    \b(?:gefahr|gefährlich|risiko|riskant|giftig|schädlich|ungefährlich)\w*
    \b(?:fu(?:ß|ss)gänger|verkehrs)?ampel\w*\b|\b(?:grün|rot)es? (?:männchen|licht)\b|\bzebrastreifen\b
    \b(?:überquer\w*|rübergehen|hinübergehen|über die straße)\b
    \b(?:kann|darf|soll|sollte|muss|können|dürfen|sollen) (?:ich|wir|man)\b.{0,40}\b(?:<gehen>|<tun>)\b
    \b<weg>\b.{0,30}\b(?:frei|leer|blockiert|versperrt)\b
    \bim weg\b|\bhinderniss?e?\b
    \bkomm(?:t|en)\b.{0,20}\b(?:autos?|bus|bahn|zug|verkehr|fahrrad)\b
    \b(?:medikament\w*|medizin\w*|tabletten?|pillen?|kapseln?|dosis|dosierung|arznei\w*|rezeptpflichtig|spritze)\b
    \b(?:erdn[uü]ss\w*|laktose)\b
    \b(?:essbar|genießbar|trinkbar|abgelaufen|verdorben|verschimmelt|haltbar)\b
    \b(?:herd|ofen|platte|herdplatte|bügeleisen|pfanne|topf)\b.{0,20}\b(?:an|aus|heiß)\b
    \b(?:ist|sind|gibt|kommt|da|hier)\b.{0,15}\b(?:stufen?|treppen?|absatz|kante)\b
    \b(?:ist|sind|gibt|kommt|da|hier)\b.{0,15}\b(?:loch|abgrund|bordstein|schwelle|absturz)\b
    \b(?:wo|wie weit)\b.{0,15}\b(?:stufen?|treppe|kante|loch|bordstein)\b
    \b(?:rutschig|glatt|nass|scharf|vereist|glitschig)\b
    \b(?:verkehr)\b
    \b(?:ablaufdatum|haltbarkeit\w*|mindesthaltbar\w*|allergi\w*|allergen\w*|gluten|nüsse|wie viele .{0,15}nehmen)\b

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
    \b(?:périmée?|avariée?|moisie?|péremption|expirée?|allergi\w*)\b
    \b(?:gluten|noix|glissante?|mouillée?|coupante?|tranchante?)\b
    \b(?:y a-t-il|il y a|où (?:est|sont))\b.{0,10}\b(?:marches?|escaliers?|bord|trou|trottoir|vide|précipice)\b
    \bmarche\b.{0,15}\bdevant\b|\b(?:plaque|four|cuisinière|poêle|fer|gaz)\b.{0,20}\b(?:allumée?|éteinte?|chaude?)\b
    \b(?:beaucoup de |de la )(?:circulation|trafic)\b|\bcombien .{0,15}prendre\b

    安全|危险|有毒|有害|风险|障碍|挡路|挡着
    红绿灯|交通灯|信号灯|绿灯|红灯|斑马线|人行横道|过马路|过街
    (?:可以|能|能不能|可不可以|可否)[^，。？]{0,6}(?:走|过|通过|前进|进去|上车|下车|吃|喝|碰|摸|用)
    (?:路|街|前面|通道)[^，。？]{0,6}(?:畅通|通畅|空|堵)
    有(?:没有)?车|来车
    (?:有|是不是)(?:没有)?(?:一?[个级])?(?:台阶|楼梯|坑|洞|悬崖|边缘|落差)|(?:台阶|楼梯|边缘)在哪|滑吗|地[面板]?(?:上)?(?:是)?(?:湿|滑)
    湿吗|烫吗|锋利|尖锐|着火|(?:炉子|灶|烤箱|熨斗|煤气|锅)[^，。？]{0,4}(?:开|关|热|烫)|交通|车多|坚果|保质期|有效期|吃几|吃多少
    药|剂量|胶囊|过敏|麸质|花生|过期|变质|能吃|能喝"""
