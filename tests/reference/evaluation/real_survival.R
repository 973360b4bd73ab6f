# Aggregate results on three public tables of patients, from the R package survival.
# Run in this folder: Rscript real_survival.R
# Reads the shared real data, ../../../../shared/data or RADIOGENOMICS_TEST_DATA; writes estimates
# and test statistics only (real_survival.csv), never a row of a patient.
suppressMessages(library(survival))

root <- Sys.getenv("RADIOGENOMICS_TEST_DATA", "../../../../shared/data")
tables <- file.path(root, "tables")
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)
rows <- list()
add <- function(analysis, term, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(analysis, term, name, value = as.vector(value))
}
add_cox <- function(analysis, fit) {
  found <- summary(fit)
  for (term in rownames(found$coefficients)) {
    add(analysis, term, "hazard_ratio", found$conf.int[term, 1])
    add(analysis, term, "low", found$conf.int[term, 3])
    add(analysis, term, "high", found$conf.int[term, 4])
    add(analysis, term, "p", found$coefficients[term, "Pr(>|z|)"])
  }
  dropped <- drop1(fit, test = "Chisq")
  zph <- cox.zph(fit)$table
  for (variable in rownames(dropped)[-1]) {
    add(analysis, variable, "p_variable", dropped[variable, "Pr(>Chi)"])
    add(analysis, variable, "p_proportional", zph[variable, "p"])
  }
  add(analysis, "all", "n", fit$n)
  add(analysis, "all", "events", fit$nevent)
}
add_logrank <- function(analysis, term, formula, data) {
  found <- survdiff(formula, data)
  add(analysis, term, "statistic", found$chisq)
  add(analysis, term, "n", sum(found$n))
}
add_concordance <- function(analysis, term, found) {
  add(analysis, term, "value", found$concordance)
  add(analysis, term, "se", sqrt(found$var))
}
# A Cox model held at the coefficient 1 has the score for its linear predictor; ranks, as only order
# counts and exp(percent) overflows.
held <- function(score, data) {
  data$rank <- rank(data[[score]]) / nrow(data)
  coxph(Surv(time, event) ~ rank, data, init = 1,
        control = coxph.control(iter.max = 0))
}
add_difference <- function(analysis, term, found) {
  contrast <- c(1, -1)
  difference <- sum(contrast * coef(found))
  se <- sqrt(drop(contrast %*% vcov(found) %*% contrast))
  add(analysis, term, "difference", difference)
  add(analysis, term, "se", se)
  add(analysis, term, "p", 2 * pnorm(-abs(difference / se)))
}

# Chemoembolisation of hepatocellular carcinoma. Weeks become whole days.
file <- list.files(file.path(tables, "hcc-tace-seg_clinical"), "csv$", full.names = TRUE)
hcc <- read.csv(file, fileEncoding = "UTF-8-BOM", check.names = FALSE)
hcc$time <- round(7 * hcc$OS)
hcc$event <- hcc$Death_1_StillAliveorLostToFU_0
hcc$bclc <- factor(ifelse(hcc$BCLC %in% c("Stage-A", "Stage-B"), "A-B", "C-D"))
hcc$afp <- hcc$AFP >= 400
hcc$multinodular <- factor(hcc$tumor_nodul, levels = c("uninodular", "multinodular"))
hcc$child <- factor(ifelse(hcc$CPS == "A", "A", "B-C"))
hcc$invasion <- hcc[["Vascular invasion"]] == 1
terms <- c("age", "bclc", "afp", "multinodular", "child", "invasion")
for (term in terms) {
  right <- as.formula(paste("Surv(time, event) ~", term))
  add_cox(paste0("hcc_univariable_", term), coxph(right, hcc, control = tight))
}
right <- as.formula(paste("Surv(time, event) ~", paste(terms, collapse = " + ")))
add_cox("hcc_multivariable", coxph(right, hcc, control = tight))
add_logrank("hcc_logrank", "stage", Surv(time, event) ~ BCLC, hcc)

# Response: patients who lived to the follow-up scan, from that scan on.
seen <- hcc[!is.na(hcc$Interval_FU) & hcc$Interval_FU > 0, ]
seen$time <- round(7 * seen$OS) - round(7 * seen$Interval_FU)
seen <- seen[seen$time > 0, ]
for (reader in 1:3) {
  seen$response <- seen[[paste0(reader, "_mRECIST")]]
  known <- seen[!is.na(seen$response), ]
  add_logrank("hcc_landmark_logrank", paste0("reader", reader), Surv(time, event) ~ response, known)
}
complete <- seen[complete.cases(seen[, paste0(1:3, "_mRECIST")]), ]
for (reader in 1:3) {
  before <- complete[[paste0(reader, "_mRECIST_BL")]]
  complete[[paste0("category", reader)]] <- complete[[paste0(reader, "_mRECIST")]]
  complete[[paste0("change", reader)]] <-
    100 * (complete[[paste0(reader, "_mRECIST_FU")]] - before) / before
}
add("hcc_landmark", "all", "n", nrow(complete))
for (score in paste0(rep(c("category", "change"), each = 3), 1:3)) {
  found <- concordance(as.formula(paste("Surv(time, event) ~", score)), complete, reverse = TRUE)
  add_concordance("hcc_concordance", score, found)
}
for (kind in c("category", "change")) {
  for (pair in list(c(1, 2), c(1, 3), c(2, 3))) {
    scores <- paste0(kind, pair)
    found <- concordance(held(scores[1], complete), held(scores[2], complete))
    add_difference("hcc_difference", paste(scores, collapse = "-"), found)
  }
}

# Lung cancer of two sources.
folder <- file.path(tables, "nsclc_owkin_survival", "train")
nsclc <- merge(read.csv(file.path(folder, "clinical_data.csv")),
               read.csv(file.path(folder, "output_VSVxRFU.csv")))
columns <- names(read.csv(file.path(folder, "radiomics.csv"), skip = 1, nrows = 1))
radiomics <- read.csv(file.path(folder, "radiomics.csv"), skip = 3, header = FALSE)
names(radiomics) <- c("PatientID", columns[-1])
nsclc <- merge(nsclc, radiomics)
nsclc$time <- nsclc$SurvivalTime
nsclc$event <- nsclc$Event
nsclc$volume <- log(nsclc$original_shape_VoxelVolume)
add_logrank("nsclc_logrank", "source", Surv(time, event) ~ SourceDataset, nsclc)
add_logrank("nsclc_logrank", "nodes within source",
            Surv(time, event) ~ Nstage + strata(SourceDataset), nsclc)
peto <- survdiff(Surv(time, event) ~ SourceDataset, nsclc, rho = 1)
add("nsclc_logrank", "source by S(t)", "statistic", peto$chisq)
stratified <- coxph(Surv(time, event) ~ volume + strata(SourceDataset), nsclc, control = tight)
add("nsclc_stratified", "volume", "coef", coef(stratified))
add("nsclc_stratified", "volume", "se", sqrt(diag(vcov(stratified))))
add_concordance("nsclc_harrell", "volume",
                concordance(Surv(time, event) ~ volume, nsclc, reverse = TRUE))
# R takes the censoring curve for known.
add_concordance("nsclc_uno", "volume", concordance(Surv(time, event) ~ volume, nsclc,
                                                   reverse = TRUE, timewt = "n/G2"))
for (source in c("l1", "l2")) {
  part <- nsclc[nsclc$SourceDataset == source, ]
  add_concordance("nsclc_harrell", paste("volume", source),
                  concordance(Surv(time, event) ~ volume, part, reverse = TRUE))
}

# Colorectal liver metastases.
crlm <- read.csv(file.path(tables, "crlm_tcia_clinical", "clinical_data_with_img_features.csv"),
                 check.names = FALSE)
crlm$chemo <- crlm$chemo_before_liver_resection == 1
crlm$comorbidity <- crlm$major_comorbidity == 1
crlm$extrahepatic <- crlm$extrahep_disease == 1
crlm$risk <- ifelse(crlm$clinrisk_score == -999, NA, crlm$clinrisk_score)
crlm$burden <- log(crlm$Tumor / crlm$Liver)
endpoints <- list(OS = c("overall_survival_months", "vital_status"),
                  DFS = c("months_to_DFS_progression", "vital_status_DFS"))
for (endpoint in names(endpoints)) {
  crlm$time <- crlm[[endpoints[[endpoint]][1]]]
  crlm$event <- crlm[[endpoints[[endpoint]][2]]]
  fit <- coxph(Surv(time, event) ~ age + comorbidity + chemo + extrahepatic + risk + burden,
               crlm[!is.na(crlm$risk), ], control = tight)
  add_cox(paste0("crlm_multivariable_", endpoint), fit)
  curves <- survfit(Surv(time, event) ~ chemo, crlm)
  means <- summary(curves, rmean = 60)$table
  for (group in rownames(means)) {
    add(paste0("crlm_restricted_mean_", endpoint), group, "value", means[group, "rmean"])
    add(paste0("crlm_restricted_mean_", endpoint), group, "se", means[group, "se(rmean)"])
  }
  whole <- summary(survfit(Surv(time, event) ~ 1, crlm, conf.type = "log-log"), times = c(36, 60))
  add(paste0("crlm_survival_", endpoint), c("36", "60"), "survival", whole$surv)
  add(paste0("crlm_survival_", endpoint), c("36", "60"), "low", whole$lower)
  add(paste0("crlm_survival_", endpoint), c("36", "60"), "high", whole$upper)
}

table <- do.call(rbind, rows)
table$value <- sprintf("%.17g", table$value)
write.csv(table, "real_survival.csv", row.names = FALSE, quote = FALSE)
