# Concordance within strata, from the R package survival.
# Run in this folder: Rscript concordance_strata.R
# Reads survival_input.csv and survival_genes.csv, which survival.R made.
suppressMessages(library(survival))

input <- cbind(read.csv("survival_input.csv"), read.csv("survival_genes.csv"))
# Three strata, and 24 of which many are too small for a pair.
input$fine <- paste(input$stratum, input$group, input$x3)
scores <- c("x1", "x2", "x3", paste0("g", 1:12))
rows <- list()
add <- function(model, name, value) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index = 0, value = sprintf("%.17g", value))
}
for (strata in c("stratum", "fine")) {
  for (s in scores) {
    form <- as.formula(paste("Surv(time, event) ~", s, "+ strata(", strata, ")"))
    found <- concordance(form, input, reverse = TRUE, keepstrata = TRUE)
    model <- paste(strata, s, sep = "_")
    add(model, "value", found$concordance)
    add(model, "variance", found$var)
    add(model, "comparable", sum(found$count[, 1:3]))
  }
}
write.csv(do.call(rbind, rows), "concordance_strata.csv", row.names = FALSE, quote = FALSE)
